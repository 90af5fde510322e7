from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CandidateReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CANDIDATE_REASON_UNSPECIFIED: _ClassVar[CandidateReason]
    CANDIDATE_REASON_CREDITED: _ClassVar[CandidateReason]
    CANDIDATE_REASON_OLDER_THAN_WINNER: _ClassVar[CandidateReason]
    CANDIDATE_REASON_NEWER_THAN_WINNER: _ClassVar[CandidateReason]
    CANDIDATE_REASON_LOST_TIE_ON_EVENT_ID: _ClassVar[CandidateReason]
    CANDIDATE_REASON_SHARE_BELOW_ONE_MICRO: _ClassVar[CandidateReason]
    CANDIDATE_REASON_INVALID: _ClassVar[CandidateReason]

class CorrectionEffect(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CORRECTION_EFFECT_UNSPECIFIED: _ClassVar[CorrectionEffect]
    CORRECTION_EFFECT_APPLIED: _ClassVar[CorrectionEffect]
    CORRECTION_EFFECT_APPLIED_IN_PART: _ClassVar[CorrectionEffect]
    CORRECTION_EFFECT_EXCEEDED: _ClassVar[CorrectionEffect]
    CORRECTION_EFFECT_SUPERSEDED: _ClassVar[CorrectionEffect]
    CORRECTION_EFFECT_VOID: _ClassVar[CorrectionEffect]
    CORRECTION_EFFECT_TOO_LATE: _ClassVar[CorrectionEffect]
CANDIDATE_REASON_UNSPECIFIED: CandidateReason
CANDIDATE_REASON_CREDITED: CandidateReason
CANDIDATE_REASON_OLDER_THAN_WINNER: CandidateReason
CANDIDATE_REASON_NEWER_THAN_WINNER: CandidateReason
CANDIDATE_REASON_LOST_TIE_ON_EVENT_ID: CandidateReason
CANDIDATE_REASON_SHARE_BELOW_ONE_MICRO: CandidateReason
CANDIDATE_REASON_INVALID: CandidateReason
CORRECTION_EFFECT_UNSPECIFIED: CorrectionEffect
CORRECTION_EFFECT_APPLIED: CorrectionEffect
CORRECTION_EFFECT_APPLIED_IN_PART: CorrectionEffect
CORRECTION_EFFECT_EXCEEDED: CorrectionEffect
CORRECTION_EFFECT_SUPERSEDED: CorrectionEffect
CORRECTION_EFFECT_VOID: CorrectionEffect
CORRECTION_EFFECT_TOO_LATE: CorrectionEffect

class AttributedConversion(_message.Message):
    __slots__ = ("conversion_id", "click_id", "user_id", "ad_id", "campaign_id", "source", "conversion_type", "value", "click_time", "conversion_time", "attribution_window_hours", "version", "retracted", "model", "credit_micros", "value_micros", "adjusted_micros", "refunds_micros", "conversion_retracted", "cause_id", "cause_type", "models", "clicks")
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
    ADJUSTED_MICROS_FIELD_NUMBER: _ClassVar[int]
    REFUNDS_MICROS_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_RETRACTED_FIELD_NUMBER: _ClassVar[int]
    CAUSE_ID_FIELD_NUMBER: _ClassVar[int]
    CAUSE_TYPE_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    CLICKS_FIELD_NUMBER: _ClassVar[int]
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
    adjusted_micros: int
    refunds_micros: int
    conversion_retracted: bool
    cause_id: str
    cause_type: str
    models: _containers.RepeatedScalarFieldContainer[str]
    clicks: _containers.RepeatedCompositeFieldContainer[ClickCredit]
    def __init__(self, conversion_id: _Optional[str] = ..., click_id: _Optional[str] = ..., user_id: _Optional[str] = ..., ad_id: _Optional[str] = ..., campaign_id: _Optional[str] = ..., source: _Optional[str] = ..., conversion_type: _Optional[str] = ..., value: _Optional[float] = ..., click_time: _Optional[int] = ..., conversion_time: _Optional[int] = ..., attribution_window_hours: _Optional[int] = ..., version: _Optional[int] = ..., retracted: _Optional[bool] = ..., model: _Optional[str] = ..., credit_micros: _Optional[int] = ..., value_micros: _Optional[int] = ..., adjusted_micros: _Optional[int] = ..., refunds_micros: _Optional[int] = ..., conversion_retracted: _Optional[bool] = ..., cause_id: _Optional[str] = ..., cause_type: _Optional[str] = ..., models: _Optional[_Iterable[str]] = ..., clicks: _Optional[_Iterable[_Union[ClickCredit, _Mapping]]] = ...) -> None: ...

class ClickCredit(_message.Message):
    __slots__ = ("click_id", "ad_id", "campaign_id", "source", "click_time", "credits_micros", "values_micros", "adjusted_micros", "refunds_micros")
    CLICK_ID_FIELD_NUMBER: _ClassVar[int]
    AD_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CLICK_TIME_FIELD_NUMBER: _ClassVar[int]
    CREDITS_MICROS_FIELD_NUMBER: _ClassVar[int]
    VALUES_MICROS_FIELD_NUMBER: _ClassVar[int]
    ADJUSTED_MICROS_FIELD_NUMBER: _ClassVar[int]
    REFUNDS_MICROS_FIELD_NUMBER: _ClassVar[int]
    click_id: str
    ad_id: str
    campaign_id: str
    source: str
    click_time: int
    credits_micros: _containers.RepeatedScalarFieldContainer[int]
    values_micros: _containers.RepeatedScalarFieldContainer[int]
    adjusted_micros: _containers.RepeatedScalarFieldContainer[int]
    refunds_micros: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, click_id: _Optional[str] = ..., ad_id: _Optional[str] = ..., campaign_id: _Optional[str] = ..., source: _Optional[str] = ..., click_time: _Optional[int] = ..., credits_micros: _Optional[_Iterable[int]] = ..., values_micros: _Optional[_Iterable[int]] = ..., adjusted_micros: _Optional[_Iterable[int]] = ..., refunds_micros: _Optional[_Iterable[int]] = ...) -> None: ...

class DailyStats(_message.Message):
    __slots__ = ("day", "campaign_id", "source", "conversion_type", "model", "partition", "clicks", "conversions_micros", "revenue_micros", "version", "invalid_clicks", "retracted_micros", "adjusted_micros", "refunds_micros", "revenue_high", "adjusted_high", "refunds_high", "models")
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
    INVALID_CLICKS_FIELD_NUMBER: _ClassVar[int]
    RETRACTED_MICROS_FIELD_NUMBER: _ClassVar[int]
    ADJUSTED_MICROS_FIELD_NUMBER: _ClassVar[int]
    REFUNDS_MICROS_FIELD_NUMBER: _ClassVar[int]
    REVENUE_HIGH_FIELD_NUMBER: _ClassVar[int]
    ADJUSTED_HIGH_FIELD_NUMBER: _ClassVar[int]
    REFUNDS_HIGH_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
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
    invalid_clicks: int
    retracted_micros: int
    adjusted_micros: int
    refunds_micros: int
    revenue_high: int
    adjusted_high: int
    refunds_high: int
    models: _containers.RepeatedCompositeFieldContainer[ModelStats]
    def __init__(self, day: _Optional[int] = ..., campaign_id: _Optional[str] = ..., source: _Optional[str] = ..., conversion_type: _Optional[str] = ..., model: _Optional[str] = ..., partition: _Optional[int] = ..., clicks: _Optional[int] = ..., conversions_micros: _Optional[int] = ..., revenue_micros: _Optional[int] = ..., version: _Optional[int] = ..., invalid_clicks: _Optional[int] = ..., retracted_micros: _Optional[int] = ..., adjusted_micros: _Optional[int] = ..., refunds_micros: _Optional[int] = ..., revenue_high: _Optional[int] = ..., adjusted_high: _Optional[int] = ..., refunds_high: _Optional[int] = ..., models: _Optional[_Iterable[_Union[ModelStats, _Mapping]]] = ...) -> None: ...

class RollupStats(_message.Message):
    __slots__ = ("period", "rollup", "values", "models", "partition", "clicks", "version", "invalid_clicks")
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    ROLLUP_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    CLICKS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    INVALID_CLICKS_FIELD_NUMBER: _ClassVar[int]
    period: int
    rollup: str
    values: _containers.RepeatedScalarFieldContainer[str]
    models: _containers.RepeatedCompositeFieldContainer[ModelStats]
    partition: int
    clicks: int
    version: int
    invalid_clicks: int
    def __init__(self, period: _Optional[int] = ..., rollup: _Optional[str] = ..., values: _Optional[_Iterable[str]] = ..., models: _Optional[_Iterable[_Union[ModelStats, _Mapping]]] = ..., partition: _Optional[int] = ..., clicks: _Optional[int] = ..., version: _Optional[int] = ..., invalid_clicks: _Optional[int] = ...) -> None: ...

class ModelStats(_message.Message):
    __slots__ = ("model", "conversions_micros", "revenue_micros", "retracted_micros", "adjusted_micros", "refunds_micros", "revenue_high", "adjusted_high", "refunds_high", "version")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    CONVERSIONS_MICROS_FIELD_NUMBER: _ClassVar[int]
    REVENUE_MICROS_FIELD_NUMBER: _ClassVar[int]
    RETRACTED_MICROS_FIELD_NUMBER: _ClassVar[int]
    ADJUSTED_MICROS_FIELD_NUMBER: _ClassVar[int]
    REFUNDS_MICROS_FIELD_NUMBER: _ClassVar[int]
    REVENUE_HIGH_FIELD_NUMBER: _ClassVar[int]
    ADJUSTED_HIGH_FIELD_NUMBER: _ClassVar[int]
    REFUNDS_HIGH_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    model: str
    conversions_micros: int
    revenue_micros: int
    retracted_micros: int
    adjusted_micros: int
    refunds_micros: int
    revenue_high: int
    adjusted_high: int
    refunds_high: int
    version: int
    def __init__(self, model: _Optional[str] = ..., conversions_micros: _Optional[int] = ..., revenue_micros: _Optional[int] = ..., retracted_micros: _Optional[int] = ..., adjusted_micros: _Optional[int] = ..., refunds_micros: _Optional[int] = ..., revenue_high: _Optional[int] = ..., adjusted_high: _Optional[int] = ..., refunds_high: _Optional[int] = ..., version: _Optional[int] = ...) -> None: ...

class AttributionSetting(_message.Message):
    __slots__ = ("partition", "kind", "name", "value", "since", "until", "version")
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    partition: int
    kind: str
    name: str
    value: str
    since: int
    until: int
    version: int
    def __init__(self, partition: _Optional[int] = ..., kind: _Optional[str] = ..., name: _Optional[str] = ..., value: _Optional[str] = ..., since: _Optional[int] = ..., until: _Optional[int] = ..., version: _Optional[int] = ...) -> None: ...

class ConversionDecision(_message.Message):
    __slots__ = ("conversion_id", "user_id", "conversion_type", "conversion_time", "value_micros", "lookback_ms", "attributed", "candidates_by_model", "version", "models", "candidates", "candidates_left_out", "truncated", "adjusted_micros", "refunds_micros", "retracted", "corrections", "corrections_left_out", "cause_id", "cause_type")
    CONVERSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_TYPE_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_TIME_FIELD_NUMBER: _ClassVar[int]
    VALUE_MICROS_FIELD_NUMBER: _ClassVar[int]
    LOOKBACK_MS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTED_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_BY_MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    ADJUSTED_MICROS_FIELD_NUMBER: _ClassVar[int]
    REFUNDS_MICROS_FIELD_NUMBER: _ClassVar[int]
    RETRACTED_FIELD_NUMBER: _ClassVar[int]
    CORRECTIONS_FIELD_NUMBER: _ClassVar[int]
    CORRECTIONS_LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    CAUSE_ID_FIELD_NUMBER: _ClassVar[int]
    CAUSE_TYPE_FIELD_NUMBER: _ClassVar[int]
    conversion_id: str
    user_id: str
    conversion_type: str
    conversion_time: int
    value_micros: int
    lookback_ms: int
    attributed: bool
    candidates_by_model: _containers.RepeatedCompositeFieldContainer[ModelCandidate]
    version: int
    models: _containers.RepeatedScalarFieldContainer[str]
    candidates: _containers.RepeatedCompositeFieldContainer[Candidate]
    candidates_left_out: int
    truncated: bool
    adjusted_micros: int
    refunds_micros: int
    retracted: bool
    corrections: _containers.RepeatedCompositeFieldContainer[Correction]
    corrections_left_out: int
    cause_id: str
    cause_type: str
    def __init__(self, conversion_id: _Optional[str] = ..., user_id: _Optional[str] = ..., conversion_type: _Optional[str] = ..., conversion_time: _Optional[int] = ..., value_micros: _Optional[int] = ..., lookback_ms: _Optional[int] = ..., attributed: _Optional[bool] = ..., candidates_by_model: _Optional[_Iterable[_Union[ModelCandidate, _Mapping]]] = ..., version: _Optional[int] = ..., models: _Optional[_Iterable[str]] = ..., candidates: _Optional[_Iterable[_Union[Candidate, _Mapping]]] = ..., candidates_left_out: _Optional[int] = ..., truncated: _Optional[bool] = ..., adjusted_micros: _Optional[int] = ..., refunds_micros: _Optional[int] = ..., retracted: _Optional[bool] = ..., corrections: _Optional[_Iterable[_Union[Correction, _Mapping]]] = ..., corrections_left_out: _Optional[int] = ..., cause_id: _Optional[str] = ..., cause_type: _Optional[str] = ...) -> None: ...

class Candidate(_message.Message):
    __slots__ = ("click_id", "ad_id", "campaign_id", "source", "click_time", "credits_micros", "reasons")
    CLICK_ID_FIELD_NUMBER: _ClassVar[int]
    AD_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CLICK_TIME_FIELD_NUMBER: _ClassVar[int]
    CREDITS_MICROS_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    click_id: str
    ad_id: str
    campaign_id: str
    source: str
    click_time: int
    credits_micros: _containers.RepeatedScalarFieldContainer[int]
    reasons: _containers.RepeatedScalarFieldContainer[CandidateReason]
    def __init__(self, click_id: _Optional[str] = ..., ad_id: _Optional[str] = ..., campaign_id: _Optional[str] = ..., source: _Optional[str] = ..., click_time: _Optional[int] = ..., credits_micros: _Optional[_Iterable[int]] = ..., reasons: _Optional[_Iterable[_Union[CandidateReason, str]]] = ...) -> None: ...

class ModelCandidate(_message.Message):
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

class Correction(_message.Message):
    __slots__ = ("event_id", "kind", "value_micros", "timestamp", "effect")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    VALUE_MICROS_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    kind: str
    value_micros: int
    timestamp: int
    effect: CorrectionEffect
    def __init__(self, event_id: _Optional[str] = ..., kind: _Optional[str] = ..., value_micros: _Optional[int] = ..., timestamp: _Optional[int] = ..., effect: _Optional[_Union[CorrectionEffect, str]] = ...) -> None: ...

class PartitionProgress(_message.Message):
    __slots__ = ("partition", "records", "clicks", "attributed", "unattributed", "click_duplicates", "conversion_duplicates", "dead_lettered", "conflicts", "corrections", "touches_dropped", "watermark", "version", "adjustments", "verdicts", "adjustment_duplicates", "verdict_duplicates", "too_late", "waiting", "invalid_clicks", "exceeded", "truncated")
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
    ADJUSTMENTS_FIELD_NUMBER: _ClassVar[int]
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    ADJUSTMENT_DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    VERDICT_DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    TOO_LATE_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    INVALID_CLICKS_FIELD_NUMBER: _ClassVar[int]
    EXCEEDED_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
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
    adjustments: int
    verdicts: int
    adjustment_duplicates: int
    verdict_duplicates: int
    too_late: int
    waiting: int
    invalid_clicks: int
    exceeded: int
    truncated: int
    def __init__(self, partition: _Optional[int] = ..., records: _Optional[int] = ..., clicks: _Optional[int] = ..., attributed: _Optional[int] = ..., unattributed: _Optional[int] = ..., click_duplicates: _Optional[int] = ..., conversion_duplicates: _Optional[int] = ..., dead_lettered: _Optional[int] = ..., conflicts: _Optional[int] = ..., corrections: _Optional[int] = ..., touches_dropped: _Optional[int] = ..., watermark: _Optional[int] = ..., version: _Optional[int] = ..., adjustments: _Optional[int] = ..., verdicts: _Optional[int] = ..., adjustment_duplicates: _Optional[int] = ..., verdict_duplicates: _Optional[int] = ..., too_late: _Optional[int] = ..., waiting: _Optional[int] = ..., invalid_clicks: _Optional[int] = ..., exceeded: _Optional[int] = ..., truncated: _Optional[int] = ...) -> None: ...

class EventConflict(_message.Message):
    __slots__ = ("event_type", "event_id", "user_id", "timestamp", "ad_id", "campaign_id", "source", "conversion_type", "value_micros", "version", "target_id", "kind")
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    AD_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_TYPE_FIELD_NUMBER: _ClassVar[int]
    VALUE_MICROS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TARGET_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    event_type: str
    event_id: str
    user_id: str
    timestamp: int
    ad_id: str
    campaign_id: str
    source: str
    conversion_type: str
    value_micros: int
    version: int
    target_id: str
    kind: str
    def __init__(self, event_type: _Optional[str] = ..., event_id: _Optional[str] = ..., user_id: _Optional[str] = ..., timestamp: _Optional[int] = ..., ad_id: _Optional[str] = ..., campaign_id: _Optional[str] = ..., source: _Optional[str] = ..., conversion_type: _Optional[str] = ..., value_micros: _Optional[int] = ..., version: _Optional[int] = ..., target_id: _Optional[str] = ..., kind: _Optional[str] = ...) -> None: ...
