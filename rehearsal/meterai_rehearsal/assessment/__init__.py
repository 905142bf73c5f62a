"""Assessment of a service before its rush: the results of runs and a simulation, as one report.

Every figure in the report is in the `Assessment` (`model`). Its figures are copied or computed from the given runs and plan
(`measured`, `bottleneck`, `judgement`), and it is embedded in the report. `views` shows a figure only with its place in the
data. Values that were not measured are reported as missing.
"""
