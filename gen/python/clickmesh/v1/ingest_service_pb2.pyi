from clickmesh.v1 import event_pb2 as _event_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RejectReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REJECT_REASON_UNSPECIFIED: _ClassVar[RejectReason]
    REJECT_REASON_MALFORMED: _ClassVar[RejectReason]
    REJECT_REASON_UNKNOWN_EVENT_TYPE: _ClassVar[RejectReason]
    REJECT_REASON_REQUIRED: _ClassVar[RejectReason]
    REJECT_REASON_TOO_LONG: _ClassVar[RejectReason]
    REJECT_REASON_OUT_OF_RANGE: _ClassVar[RejectReason]
    REJECT_REASON_NOT_FINITE: _ClassVar[RejectReason]
    REJECT_REASON_CONTRADICTION: _ClassVar[RejectReason]
    REJECT_REASON_PLACEHOLDER: _ClassVar[RejectReason]
    REJECT_REASON_MISNAMED_VALUE: _ClassVar[RejectReason]
    REJECT_REASON_OTHER_CURRENCY: _ClassVar[RejectReason]
    REJECT_REASON_UNKNOWN_CHOICE: _ClassVar[RejectReason]
    REJECT_REASON_UNKNOWN_TARGET: _ClassVar[RejectReason]
REJECT_REASON_UNSPECIFIED: RejectReason
REJECT_REASON_MALFORMED: RejectReason
REJECT_REASON_UNKNOWN_EVENT_TYPE: RejectReason
REJECT_REASON_REQUIRED: RejectReason
REJECT_REASON_TOO_LONG: RejectReason
REJECT_REASON_OUT_OF_RANGE: RejectReason
REJECT_REASON_NOT_FINITE: RejectReason
REJECT_REASON_CONTRADICTION: RejectReason
REJECT_REASON_PLACEHOLDER: RejectReason
REJECT_REASON_MISNAMED_VALUE: RejectReason
REJECT_REASON_OTHER_CURRENCY: RejectReason
REJECT_REASON_UNKNOWN_CHOICE: RejectReason
REJECT_REASON_UNKNOWN_TARGET: RejectReason

class IngestRequest(_message.Message):
    __slots__ = ("event",)
    EVENT_FIELD_NUMBER: _ClassVar[int]
    event: _event_pb2.Event
    def __init__(self, event: _Optional[_Union[_event_pb2.Event, _Mapping]] = ...) -> None: ...

class IngestResponse(_message.Message):
    __slots__ = ("acceptance",)
    ACCEPTANCE_FIELD_NUMBER: _ClassVar[int]
    acceptance: Acceptance
    def __init__(self, acceptance: _Optional[_Union[Acceptance, _Mapping]] = ...) -> None: ...

class IngestBatchRequest(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_event_pb2.Event]
    def __init__(self, events: _Optional[_Iterable[_Union[_event_pb2.Event, _Mapping]]] = ...) -> None: ...

class IngestBatchResponse(_message.Message):
    __slots__ = ("results", "accepted", "rejected")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[IngestResult]
    accepted: int
    rejected: int
    def __init__(self, results: _Optional[_Iterable[_Union[IngestResult, _Mapping]]] = ..., accepted: _Optional[int] = ..., rejected: _Optional[int] = ...) -> None: ...

class IngestStreamRequest(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_event_pb2.Event]
    def __init__(self, events: _Optional[_Iterable[_Union[_event_pb2.Event, _Mapping]]] = ...) -> None: ...

class IngestStreamResponse(_message.Message):
    __slots__ = ("accepted", "rejected", "rejections", "ignored")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    REJECTIONS_FIELD_NUMBER: _ClassVar[int]
    IGNORED_FIELD_NUMBER: _ClassVar[int]
    accepted: int
    rejected: int
    rejections: _containers.RepeatedCompositeFieldContainer[StreamRejection]
    ignored: _containers.RepeatedCompositeFieldContainer[IgnoredName]
    def __init__(self, accepted: _Optional[int] = ..., rejected: _Optional[int] = ..., rejections: _Optional[_Iterable[_Union[StreamRejection, _Mapping]]] = ..., ignored: _Optional[_Iterable[_Union[IgnoredName, _Mapping]]] = ...) -> None: ...

class IngestResult(_message.Message):
    __slots__ = ("accepted", "rejected")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    accepted: Acceptance
    rejected: Rejection
    def __init__(self, accepted: _Optional[_Union[Acceptance, _Mapping]] = ..., rejected: _Optional[_Union[Rejection, _Mapping]] = ...) -> None: ...

class Acceptance(_message.Message):
    __slots__ = ("event_id", "partition", "offset", "ignored")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    IGNORED_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    partition: int
    offset: int
    ignored: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, event_id: _Optional[str] = ..., partition: _Optional[int] = ..., offset: _Optional[int] = ..., ignored: _Optional[_Iterable[str]] = ...) -> None: ...

class Rejection(_message.Message):
    __slots__ = ("event_id", "field", "reason", "limit", "message", "received")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    field: str
    reason: RejectReason
    limit: str
    message: str
    received: str
    def __init__(self, event_id: _Optional[str] = ..., field: _Optional[str] = ..., reason: _Optional[_Union[RejectReason, str]] = ..., limit: _Optional[str] = ..., message: _Optional[str] = ..., received: _Optional[str] = ...) -> None: ...

class IgnoredName(_message.Message):
    __slots__ = ("name", "events")
    NAME_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    events: int
    def __init__(self, name: _Optional[str] = ..., events: _Optional[int] = ...) -> None: ...

class StreamRejection(_message.Message):
    __slots__ = ("index", "rejection")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    REJECTION_FIELD_NUMBER: _ClassVar[int]
    index: int
    rejection: Rejection
    def __init__(self, index: _Optional[int] = ..., rejection: _Optional[_Union[Rejection, _Mapping]] = ...) -> None: ...
