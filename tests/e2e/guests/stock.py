"""What is in stock, from a database: a service with the Python kit, whose queries are spans. Usage: stock.py PORT"""

import sqlite3
import sys

import uvicorn
from fastapi import FastAPI
from opentelemetry.trace import SpanKind

from telemetry import SPANS, WatchRequests, configure_logs, configure_spans, show_metrics, tracer

QUERY = "SELECT amount FROM stock WHERE number = ?"

configure_logs()
configure_spans()
app = FastAPI(telemetry=SPANS)
app.add_middleware(WatchRequests)
app.get("/metrics")(show_metrics)
database = sqlite3.connect(":memory:")
database.execute("CREATE TABLE stock (number INTEGER, amount INTEGER)")
database.execute("INSERT INTO stock VALUES (4711, 3)")


@app.get("/livez")
async def check_alive():
    """It runs."""
    return {"status": "ok"}


@app.get("/orders/{number}")
async def show_stock(number: int):
    """What there is for an order."""
    attributes = {"db.system.name": "sqlite", "db.query.text": QUERY}
    with tracer.start_as_current_span("SELECT stock", kind=SpanKind.CLIENT, attributes=attributes):
        row = database.execute(QUERY, (number,)).fetchone()
    return {"left": row[0] if row else 0}


uvicorn.run(app, host="0.0.0.0", port=int(sys.argv[1]), log_config=None, access_log=False)  # noqa: S104 - in a container
