import logging
import sys

from opentelemetry import metrics, trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

protocol, endpoint = sys.argv[1], sys.argv[2]
if protocol == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    options = [{"endpoint": endpoint, "insecure": True}] * 3
else:
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    options = [{"endpoint": f"{endpoint}/v1/{signal}"} for signal in ("logs", "metrics", "traces")]

resource = Resource.create({"service.name": f"python-{protocol}", "service.version": "1.2.3"})
logs = LoggerProvider(resource=resource)
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(**options[0])))
set_logger_provider(logs)
reader = PeriodicExportingMetricReader(OTLPMetricExporter(**options[1]))
metrics.set_meter_provider(MeterProvider(resource=resource, metric_readers=[reader]))
traces = TracerProvider(resource=resource)
traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(**options[2])))
trace.set_tracer_provider(traces)

logger = logging.getLogger("shop")
logger.setLevel(logging.INFO)
logger.addHandler(LoggingHandler(logger_provider=logs))
orders = metrics.get_meter("shop").create_counter("orders", unit="1")
with trace.get_tracer("shop").start_as_current_span("POST /checkout", kind=trace.SpanKind.SERVER):
    for number in range(20):
        orders.add(1, {"region": "eu"})
        logger.error("payment %d failed", number)

traces.shutdown()
logs.shutdown()
metrics.get_meter_provider().shutdown()
