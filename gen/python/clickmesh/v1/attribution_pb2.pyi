from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AttributedConversion(_message.Message):
    __slots__ = ("conversion_id", "click_id", "user_id", "ad_id", "campaign_id", "source", "conversion_type", "value", "click_time", "conversion_time", "attribution_window_hours", "version", "retracted", "model", "credit_micros", "value_micros")
    CONVERSION_ID_FIELD_NUMBER: _ClassVar[int]
    CLICK_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    AD_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_TYPE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CLICK_TIME_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_TIME_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTION_WINDOW_HOURS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    RETRACTED_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    CREDIT_MICROS_FIELD_NUMBER: _ClassVar[int]
    VALUE_MICROS_FIELD_NUMBER: _ClassVar[int]
    conversion_id: str
    click_id: str
    user_id: str
    ad_id: str
    campaign_id: str
    source: str
    conversion_type: str
    value: float
    click_time: int
    conversion_time: int
    attribution_window_hours: int
    version: int
    retracted: bool
    model: str
    credit_micros: int
    value_micros: int
    def __init__(self, conversion_id: _Optional[str] = ..., click_id: _Optional[str] = ..., user_id: _Optional[str] = ..., ad_id: _Optional[str] = ..., campaign_id: _Optional[str] = ..., source: _Optional[str] = ..., conversion_type: _Optional[str] = ..., value: _Optional[float] = ..., click_time: _Optional[int] = ..., conversion_time: _Optional[int] = ..., attribution_window_hours: _Optional[int] = ..., version: _Optional[int] = ..., retracted: _Optional[bool] = ..., model: _Optional[str] = ..., credit_micros: _Optional[int] = ..., value_micros: _Optional[int] = ...) -> None: ...

class DailyStats(_message.Message):
    __slots__ = ("day", "campaign_id", "source", "conversion_type", "model", "partition", "clicks", "conversions_micros", "revenue_micros", "version")
    DAY_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_TYPE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    CLICKS_FIELD_NUMBER: _ClassVar[int]
    CONVERSIONS_MICROS_FIELD_NUMBER: _ClassVar[int]
    REVENUE_MICROS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    day: int
    campaign_id: str
    source: str
    conversion_type: str
    model: str
    partition: int
    clicks: int
    conversions_micros: int
    revenue_micros: int
    version: int
    def __init__(self, day: _Optional[int] = ..., campaign_id: _Optional[str] = ..., source: _Optional[str] = ..., conversion_type: _Optional[str] = ..., model: _Optional[str] = ..., partition: _Optional[int] = ..., clicks: _Optional[int] = ..., conversions_micros: _Optional[int] = ..., revenue_micros: _Optional[int] = ..., version: _Optional[int] = ...) -> None: ...

class ConversionDecision(_message.Message):
    __slots__ = ("conversion_id", "user_id", "conversion_type", "conversion_time", "value_micros", "lookback_ms", "attributed", "candidates", "version")
    CONVERSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_TYPE_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_TIME_FIELD_NUMBER: _ClassVar[int]
    VALUE_MICROS_FIELD_NUMBER: _ClassVar[int]
    LOOKBACK_MS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTED_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    conversion_id: str
    user_id: str
    conversion_type: str
    conversion_time: int
    value_micros: int
    lookback_ms: int
    attributed: bool
    candidates: _containers.RepeatedCompositeFieldContainer[Candidate]
    version: int
    def __init__(self, conversion_id: _Optional[str] = ..., user_id: _Optional[str] = ..., conversion_type: _Optional[str] = ..., conversion_time: _Optional[int] = ..., value_micros: _Optional[int] = ..., lookback_ms: _Optional[int] = ..., attributed: _Optional[bool] = ..., candidates: _Optional[_Iterable[_Union[Candidate, _Mapping]]] = ..., version: _Optional[int] = ...) -> None: ...

class Candidate(_message.Message):
    __slots__ = ("click_id", "ad_id", "campaign_id", "source", "click_time", "model", "credit_micros", "reason")
    CLICK_ID_FIELD_NUMBER: _ClassVar[int]
    AD_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CLICK_TIME_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    CREDIT_MICROS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    click_id: str
    ad_id: str
    campaign_id: str
    source: str
    click_time: int
    model: str
    credit_micros: int
    reason: str
    def __init__(self, click_id: _Optional[str] = ..., ad_id: _Optional[str] = ..., campaign_id: _Optional[str] = ..., source: _Optional[str] = ..., click_time: _Optional[int] = ..., model: _Optional[str] = ..., credit_micros: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class PartitionProgress(_message.Message):
    __slots__ = ("partition", "records", "clicks", "attributed", "unattributed", "click_duplicates", "conversion_duplicates", "dead_lettered", "conflicts", "corrections", "touches_dropped", "watermark", "version")
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    CLICKS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTED_FIELD_NUMBER: _ClassVar[int]
    UNATTRIBUTED_FIELD_NUMBER: _ClassVar[int]
    CLICK_DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTERED_FIELD_NUMBER: _ClassVar[int]
    CONFLICTS_FIELD_NUMBER: _ClassVar[int]
    CORRECTIONS_FIELD_NUMBER: _ClassVar[int]
    TOUCHES_DROPPED_FIELD_NUMBER: _ClassVar[int]
    WATERMARK_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    partition: int
    records: int
    clicks: int
    attributed: int
    unattributed: int
    click_duplicates: int
    conversion_duplicates: int
    dead_lettered: int
    conflicts: int
    corrections: int
    touches_dropped: int
    watermark: int
    version: int
    def __init__(self, partition: _Optional[int] = ..., records: _Optional[int] = ..., clicks: _Optional[int] = ..., attributed: _Optional[int] = ..., unattributed: _Optional[int] = ..., click_duplicates: _Optional[int] = ..., conversion_duplicates: _Optional[int] = ..., dead_lettered: _Optional[int] = ..., conflicts: _Optional[int] = ..., corrections: _Optional[int] = ..., touches_dropped: _Optional[int] = ..., watermark: _Optional[int] = ..., version: _Optional[int] = ...) -> None: ...
