from clickmesh.v1 import attribution_pb2 as _attribution_pb2
from clickmesh.v1 import reports_pb2 as _reports_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Interval(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INTERVAL_UNSPECIFIED: _ClassVar[Interval]
    INTERVAL_DAILY: _ClassVar[Interval]
    INTERVAL_WEEKLY: _ClassVar[Interval]
    INTERVAL_MONTHLY: _ClassVar[Interval]
    INTERVAL_HOURLY: _ClassVar[Interval]
INTERVAL_UNSPECIFIED: Interval
INTERVAL_DAILY: Interval
INTERVAL_WEEKLY: Interval
INTERVAL_MONTHLY: Interval
INTERVAL_HOURLY: Interval

class GetStatsRequest(_message.Message):
    __slots__ = ("start_date", "end_date", "campaign_id", "interval", "source", "conversion_type", "model", "by", "gross", "unattributed")
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_TYPE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    GROSS_FIELD_NUMBER: _ClassVar[int]
    UNATTRIBUTED_FIELD_NUMBER: _ClassVar[int]
    start_date: str
    end_date: str
    campaign_id: str
    interval: Interval
    source: str
    conversion_type: str
    model: str
    by: _containers.RepeatedScalarFieldContainer[str]
    gross: bool
    unattributed: bool
    def __init__(self, start_date: _Optional[str] = ..., end_date: _Optional[str] = ..., campaign_id: _Optional[str] = ..., interval: _Optional[_Union[Interval, str]] = ..., source: _Optional[str] = ..., conversion_type: _Optional[str] = ..., model: _Optional[str] = ..., by: _Optional[_Iterable[str]] = ..., gross: _Optional[bool] = ..., unattributed: _Optional[bool] = ...) -> None: ...

class GetStatsResponse(_message.Message):
    __slots__ = ("interval", "data", "unattributed", "since")
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    UNATTRIBUTED_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    interval: Interval
    data: _containers.RepeatedCompositeFieldContainer[StatsRow]
    unattributed: _containers.RepeatedCompositeFieldContainer[StatsRow]
    since: Since
    def __init__(self, interval: _Optional[_Union[Interval, str]] = ..., data: _Optional[_Iterable[_Union[StatsRow, _Mapping]]] = ..., unattributed: _Optional[_Iterable[_Union[StatsRow, _Mapping]]] = ..., since: _Optional[_Union[Since, _Mapping]] = ...) -> None: ...

class Since(_message.Message):
    __slots__ = ("model", "model_until", "rollup", "rollup_since", "time_zone")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    MODEL_UNTIL_FIELD_NUMBER: _ClassVar[int]
    ROLLUP_FIELD_NUMBER: _ClassVar[int]
    ROLLUP_SINCE_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    model: int
    model_until: int
    rollup: str
    rollup_since: int
    time_zone: str
    def __init__(self, model: _Optional[int] = ..., model_until: _Optional[int] = ..., rollup: _Optional[str] = ..., rollup_since: _Optional[int] = ..., time_zone: _Optional[str] = ...) -> None: ...

class StatsRow(_message.Message):
    __slots__ = ("date", "campaign_id", "source", "clicks", "conversions", "revenue", "cvr", "conversions_micros", "revenue_micros", "invalid_clicks", "gross_conversions", "gross_revenue", "refunds", "gross_conversions_micros", "gross_revenue_micros", "refunds_micros", "values")
    DATE_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CLICKS_FIELD_NUMBER: _ClassVar[int]
    CONVERSIONS_FIELD_NUMBER: _ClassVar[int]
    REVENUE_FIELD_NUMBER: _ClassVar[int]
    CVR_FIELD_NUMBER: _ClassVar[int]
    CONVERSIONS_MICROS_FIELD_NUMBER: _ClassVar[int]
    REVENUE_MICROS_FIELD_NUMBER: _ClassVar[int]
    INVALID_CLICKS_FIELD_NUMBER: _ClassVar[int]
    GROSS_CONVERSIONS_FIELD_NUMBER: _ClassVar[int]
    GROSS_REVENUE_FIELD_NUMBER: _ClassVar[int]
    REFUNDS_FIELD_NUMBER: _ClassVar[int]
    GROSS_CONVERSIONS_MICROS_FIELD_NUMBER: _ClassVar[int]
    GROSS_REVENUE_MICROS_FIELD_NUMBER: _ClassVar[int]
    REFUNDS_MICROS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    date: str
    campaign_id: str
    source: str
    clicks: int
    conversions: float
    revenue: float
    cvr: float
    conversions_micros: int
    revenue_micros: int
    invalid_clicks: int
    gross_conversions: float
    gross_revenue: float
    refunds: float
    gross_conversions_micros: int
    gross_revenue_micros: int
    refunds_micros: int
    values: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, date: _Optional[str] = ..., campaign_id: _Optional[str] = ..., source: _Optional[str] = ..., clicks: _Optional[int] = ..., conversions: _Optional[float] = ..., revenue: _Optional[float] = ..., cvr: _Optional[float] = ..., conversions_micros: _Optional[int] = ..., revenue_micros: _Optional[int] = ..., invalid_clicks: _Optional[int] = ..., gross_conversions: _Optional[float] = ..., gross_revenue: _Optional[float] = ..., refunds: _Optional[float] = ..., gross_conversions_micros: _Optional[int] = ..., gross_revenue_micros: _Optional[int] = ..., refunds_micros: _Optional[int] = ..., values: _Optional[_Iterable[str]] = ...) -> None: ...

class WatchStatsRequest(_message.Message):
    __slots__ = ("query", "period_ms", "cursor")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    PERIOD_MS_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    query: GetStatsRequest
    period_ms: int
    cursor: str
    def __init__(self, query: _Optional[_Union[GetStatsRequest, _Mapping]] = ..., period_ms: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...

class WatchStatsResponse(_message.Message):
    __slots__ = ("stats", "cursor")
    STATS_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    stats: GetStatsResponse
    cursor: str
    def __init__(self, stats: _Optional[_Union[GetStatsResponse, _Mapping]] = ..., cursor: _Optional[str] = ...) -> None: ...

class ExplainConversionRequest(_message.Message):
    __slots__ = ("conversion_id", "user_id", "model")
    CONVERSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    conversion_id: str
    user_id: str
    model: str
    def __init__(self, conversion_id: _Optional[str] = ..., user_id: _Optional[str] = ..., model: _Optional[str] = ...) -> None: ...

class ExplainConversionResponse(_message.Message):
    __slots__ = ("decision", "near_misses", "metadata", "net_value_micros", "corrections", "attributed", "summary", "late_clicks", "trace_id")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DECISION_FIELD_NUMBER: _ClassVar[int]
    NEAR_MISSES_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    NET_VALUE_MICROS_FIELD_NUMBER: _ClassVar[int]
    CORRECTIONS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTED_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    LATE_CLICKS_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    decision: _attribution_pb2.ConversionDecision
    near_misses: _containers.RepeatedCompositeFieldContainer[NearMiss]
    metadata: _containers.ScalarMap[str, str]
    net_value_micros: int
    corrections: _containers.RepeatedCompositeFieldContainer[ExplainedCorrection]
    attributed: bool
    summary: str
    late_clicks: _containers.RepeatedCompositeFieldContainer[LateClick]
    trace_id: str
    def __init__(self, decision: _Optional[_Union[_attribution_pb2.ConversionDecision, _Mapping]] = ..., near_misses: _Optional[_Iterable[_Union[NearMiss, _Mapping]]] = ..., metadata: _Optional[_Mapping[str, str]] = ..., net_value_micros: _Optional[int] = ..., corrections: _Optional[_Iterable[_Union[ExplainedCorrection, _Mapping]]] = ..., attributed: _Optional[bool] = ..., summary: _Optional[str] = ..., late_clicks: _Optional[_Iterable[_Union[LateClick, _Mapping]]] = ..., trace_id: _Optional[str] = ...) -> None: ...

class LateClick(_message.Message):
    __slots__ = ("click_id", "arrival_time", "text")
    CLICK_ID_FIELD_NUMBER: _ClassVar[int]
    ARRIVAL_TIME_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    click_id: str
    arrival_time: int
    text: str
    def __init__(self, click_id: _Optional[str] = ..., arrival_time: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...

class ExplainedCorrection(_message.Message):
    __slots__ = ("event_id", "event_type", "kind", "click_id", "value_micros", "timestamp", "reason", "effect", "value_before_micros", "value_after_micros", "text")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    CLICK_ID_FIELD_NUMBER: _ClassVar[int]
    VALUE_MICROS_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    VALUE_BEFORE_MICROS_FIELD_NUMBER: _ClassVar[int]
    VALUE_AFTER_MICROS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    event_type: str
    kind: str
    click_id: str
    value_micros: int
    timestamp: int
    reason: str
    effect: _attribution_pb2.CorrectionEffect
    value_before_micros: int
    value_after_micros: int
    text: str
    def __init__(self, event_id: _Optional[str] = ..., event_type: _Optional[str] = ..., kind: _Optional[str] = ..., click_id: _Optional[str] = ..., value_micros: _Optional[int] = ..., timestamp: _Optional[int] = ..., reason: _Optional[str] = ..., effect: _Optional[_Union[_attribution_pb2.CorrectionEffect, str]] = ..., value_before_micros: _Optional[int] = ..., value_after_micros: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...

class NearMiss(_message.Message):
    __slots__ = ("click_id", "campaign_id", "source", "click_time", "reason", "ad_id", "text")
    CLICK_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CLICK_TIME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    AD_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    click_id: str
    campaign_id: str
    source: str
    click_time: int
    reason: str
    ad_id: str
    text: str
    def __init__(self, click_id: _Optional[str] = ..., campaign_id: _Optional[str] = ..., source: _Optional[str] = ..., click_time: _Optional[int] = ..., reason: _Optional[str] = ..., ad_id: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...
