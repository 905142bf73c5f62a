"""Figures of a period: how long visitors waited in lines."""

from meterai.plumbing.db.figures import FigureQuery, waits, within

TURNS = f"""
SELECT l.name AS of, count(*) AS turns, count(t.used_by) AS used, {waits("t.waited")}
FROM waiting_room_turns t JOIN waiting_room_lines l USING (line_id), period
WHERE {within("t.admitted_at")} GROUP BY l.name ORDER BY l.name
"""
FIGURES = (FigureQuery("lines", TURNS),)
