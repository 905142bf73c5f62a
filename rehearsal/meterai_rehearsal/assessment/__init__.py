"""The assessment of a service before its rush: what runs and a simulation say, as one report.

Every figure in the report is of the `Assessment` (`model`), which is copied or computed from the runs and the plan
that were given (`measured`, `bottleneck`, `judgement`) and embedded in the report; `views` lets a figure into the text only
with the place it is from.  What was not measured is missing, and said to be.
"""
