from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Click(_message.Message):
    __slots__ = ("event_id", "user_id", "ad_id", "campaign_id", "source", "timestamp", "metadata")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    AD_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    user_id: str
    ad_id: str
    campaign_id: str
    source: str
    timestamp: int
    metadata: _containers.ScalarMap[str, str]
    def __init__(self, event_id: _Optional[str] = ..., user_id: _Optional[str] = ..., ad_id: _Optional[str] = ..., campaign_id: _Optional[str] = ..., source: _Optional[str] = ..., timestamp: _Optional[int] = ..., metadata: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Conversion(_message.Message):
    __slots__ = ("event_id", "user_id", "type", "value", "source", "timestamp", "value_micros", "metadata", "currency")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    VALUE_MICROS_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    user_id: str
    type: str
    value: float
    source: str
    timestamp: int
    value_micros: int
    metadata: _containers.ScalarMap[str, str]
    currency: str
    def __init__(self, event_id: _Optional[str] = ..., user_id: _Optional[str] = ..., type: _Optional[str] = ..., value: _Optional[float] = ..., source: _Optional[str] = ..., timestamp: _Optional[int] = ..., value_micros: _Optional[int] = ..., metadata: _Optional[_Mapping[str, str]] = ..., currency: _Optional[str] = ...) -> None: ...

class Adjustment(_message.Message):
    __slots__ = ("event_id", "user_id", "conversion_id", "kind", "value", "timestamp", "value_micros", "reason", "currency")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    VALUE_MICROS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    user_id: str
    conversion_id: str
    kind: str
    value: float
    timestamp: int
    value_micros: int
    reason: str
    currency: str
    def __init__(self, event_id: _Optional[str] = ..., user_id: _Optional[str] = ..., conversion_id: _Optional[str] = ..., kind: _Optional[str] = ..., value: _Optional[float] = ..., timestamp: _Optional[int] = ..., value_micros: _Optional[int] = ..., reason: _Optional[str] = ..., currency: _Optional[str] = ...) -> None: ...

class Verdict(_message.Message):
    __slots__ = ("event_id", "user_id", "click_id", "valid", "reason", "timestamp")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CLICK_ID_FIELD_NUMBER: _ClassVar[int]
    VALID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    user_id: str
    click_id: str
    valid: bool
    reason: str
    timestamp: int
    def __init__(self, event_id: _Optional[str] = ..., user_id: _Optional[str] = ..., click_id: _Optional[str] = ..., valid: _Optional[bool] = ..., reason: _Optional[str] = ..., timestamp: _Optional[int] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("click", "conversion", "adjustment", "verdict")
    CLICK_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_FIELD_NUMBER: _ClassVar[int]
    ADJUSTMENT_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    click: Click
    conversion: Conversion
    adjustment: Adjustment
    verdict: Verdict
    def __init__(self, click: _Optional[_Union[Click, _Mapping]] = ..., conversion: _Optional[_Union[Conversion, _Mapping]] = ..., adjustment: _Optional[_Union[Adjustment, _Mapping]] = ..., verdict: _Optional[_Union[Verdict, _Mapping]] = ...) -> None: ...
