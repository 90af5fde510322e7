from clickmesh.v1 import attribution_pb2 as _attribution_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReportInterval(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REPORT_INTERVAL_UNSPECIFIED: _ClassVar[ReportInterval]
    REPORT_INTERVAL_HOUR: _ClassVar[ReportInterval]
    REPORT_INTERVAL_DAY: _ClassVar[ReportInterval]
    REPORT_INTERVAL_WEEK: _ClassVar[ReportInterval]
    REPORT_INTERVAL_MONTH: _ClassVar[ReportInterval]
    REPORT_INTERVAL_NONE: _ClassVar[ReportInterval]

class TimeBasis(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TIME_BASIS_UNSPECIFIED: _ClassVar[TimeBasis]
    TIME_BASIS_CONVERSION: _ClassVar[TimeBasis]
    TIME_BASIS_CLICK: _ClassVar[TimeBasis]

class Compare(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMPARE_UNSPECIFIED: _ClassVar[Compare]
    COMPARE_PREVIOUS_PERIOD: _ClassVar[Compare]
    COMPARE_PREVIOUS_YEAR: _ClassVar[Compare]

class Attributed(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ATTRIBUTED_UNSPECIFIED: _ClassVar[Attributed]
    ATTRIBUTED_YES: _ClassVar[Attributed]
    ATTRIBUTED_NO: _ClassVar[Attributed]
REPORT_INTERVAL_UNSPECIFIED: ReportInterval
REPORT_INTERVAL_HOUR: ReportInterval
REPORT_INTERVAL_DAY: ReportInterval
REPORT_INTERVAL_WEEK: ReportInterval
REPORT_INTERVAL_MONTH: ReportInterval
REPORT_INTERVAL_NONE: ReportInterval
TIME_BASIS_UNSPECIFIED: TimeBasis
TIME_BASIS_CONVERSION: TimeBasis
TIME_BASIS_CLICK: TimeBasis
COMPARE_UNSPECIFIED: Compare
COMPARE_PREVIOUS_PERIOD: Compare
COMPARE_PREVIOUS_YEAR: Compare
ATTRIBUTED_UNSPECIFIED: Attributed
ATTRIBUTED_YES: Attributed
ATTRIBUTED_NO: Attributed

class ReportFilter(_message.Message):
    __slots__ = ("dimension", "values", "exclude")
    DIMENSION_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_FIELD_NUMBER: _ClassVar[int]
    dimension: str
    values: _containers.RepeatedScalarFieldContainer[str]
    exclude: bool
    def __init__(self, dimension: _Optional[str] = ..., values: _Optional[_Iterable[str]] = ..., exclude: _Optional[bool] = ...) -> None: ...

class RunReportRequest(_message.Message):
    __slots__ = ("start_date", "end_date", "interval", "group_by", "filters", "models", "time_basis", "order_by", "limit", "page_token", "compare", "time_zone", "min_watermark")
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    FILTERS_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    TIME_BASIS_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    COMPARE_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    MIN_WATERMARK_FIELD_NUMBER: _ClassVar[int]
    start_date: str
    end_date: str
    interval: ReportInterval
    group_by: _containers.RepeatedScalarFieldContainer[str]
    filters: _containers.RepeatedCompositeFieldContainer[ReportFilter]
    models: _containers.RepeatedScalarFieldContainer[str]
    time_basis: TimeBasis
    order_by: str
    limit: int
    page_token: str
    compare: Compare
    time_zone: str
    min_watermark: MinWatermark
    def __init__(self, start_date: _Optional[str] = ..., end_date: _Optional[str] = ..., interval: _Optional[_Union[ReportInterval, str]] = ..., group_by: _Optional[_Iterable[str]] = ..., filters: _Optional[_Iterable[_Union[ReportFilter, _Mapping]]] = ..., models: _Optional[_Iterable[str]] = ..., time_basis: _Optional[_Union[TimeBasis, str]] = ..., order_by: _Optional[str] = ..., limit: _Optional[int] = ..., page_token: _Optional[str] = ..., compare: _Optional[_Union[Compare, str]] = ..., time_zone: _Optional[str] = ..., min_watermark: _Optional[_Union[MinWatermark, _Mapping]] = ...) -> None: ...

class MinWatermark(_message.Message):
    __slots__ = ("partition", "offset")
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    partition: int
    offset: int
    def __init__(self, partition: _Optional[int] = ..., offset: _Optional[int] = ...) -> None: ...

class RunReportResponse(_message.Message):
    __slots__ = ("rows", "totals", "unattributed", "total_rows", "next_page_token", "stamp")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    UNATTRIBUTED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_ROWS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STAMP_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[ReportRow]
    totals: ReportRow
    unattributed: ReportRow
    total_rows: int
    next_page_token: str
    stamp: ReportStamp
    def __init__(self, rows: _Optional[_Iterable[_Union[ReportRow, _Mapping]]] = ..., totals: _Optional[_Union[ReportRow, _Mapping]] = ..., unattributed: _Optional[_Union[ReportRow, _Mapping]] = ..., total_rows: _Optional[int] = ..., next_page_token: _Optional[str] = ..., stamp: _Optional[_Union[ReportStamp, _Mapping]] = ...) -> None: ...

class ReportRow(_message.Message):
    __slots__ = ("date", "values", "clicks", "invalid_clicks", "models", "partial", "previous")
    DATE_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    CLICKS_FIELD_NUMBER: _ClassVar[int]
    INVALID_CLICKS_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    PARTIAL_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    date: str
    values: _containers.RepeatedScalarFieldContainer[str]
    clicks: int
    invalid_clicks: int
    models: _containers.RepeatedCompositeFieldContainer[ModelMeasures]
    partial: bool
    previous: ReportRow
    def __init__(self, date: _Optional[str] = ..., values: _Optional[_Iterable[str]] = ..., clicks: _Optional[int] = ..., invalid_clicks: _Optional[int] = ..., models: _Optional[_Iterable[_Union[ModelMeasures, _Mapping]]] = ..., partial: _Optional[bool] = ..., previous: _Optional[_Union[ReportRow, _Mapping]] = ...) -> None: ...

class ModelMeasures(_message.Message):
    __slots__ = ("model", "conversions_micros", "revenue_micros", "gross_conversions_micros", "gross_revenue_micros", "refunds_micros", "cvr")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    CONVERSIONS_MICROS_FIELD_NUMBER: _ClassVar[int]
    REVENUE_MICROS_FIELD_NUMBER: _ClassVar[int]
    GROSS_CONVERSIONS_MICROS_FIELD_NUMBER: _ClassVar[int]
    GROSS_REVENUE_MICROS_FIELD_NUMBER: _ClassVar[int]
    REFUNDS_MICROS_FIELD_NUMBER: _ClassVar[int]
    CVR_FIELD_NUMBER: _ClassVar[int]
    model: str
    conversions_micros: int
    revenue_micros: int
    gross_conversions_micros: int
    gross_revenue_micros: int
    refunds_micros: int
    cvr: float
    def __init__(self, model: _Optional[str] = ..., conversions_micros: _Optional[int] = ..., revenue_micros: _Optional[int] = ..., gross_conversions_micros: _Optional[int] = ..., gross_revenue_micros: _Optional[int] = ..., refunds_micros: _Optional[int] = ..., cvr: _Optional[float] = ...) -> None: ...

class ReportStamp(_message.Message):
    __slots__ = ("models", "lookbacks", "time_zone", "rollup", "rollup_since", "models_since", "complete_through", "lag_ms", "changes_for_ms", "corrections_for_ms", "currency", "truncated", "compared_from", "compared_until")
    MODELS_FIELD_NUMBER: _ClassVar[int]
    LOOKBACKS_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    ROLLUP_FIELD_NUMBER: _ClassVar[int]
    ROLLUP_SINCE_FIELD_NUMBER: _ClassVar[int]
    MODELS_SINCE_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_THROUGH_FIELD_NUMBER: _ClassVar[int]
    LAG_MS_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FOR_MS_FIELD_NUMBER: _ClassVar[int]
    CORRECTIONS_FOR_MS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    COMPARED_FROM_FIELD_NUMBER: _ClassVar[int]
    COMPARED_UNTIL_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedScalarFieldContainer[str]
    lookbacks: _containers.RepeatedCompositeFieldContainer[Lookback]
    time_zone: str
    rollup: str
    rollup_since: int
    models_since: _containers.RepeatedScalarFieldContainer[int]
    complete_through: int
    lag_ms: int
    changes_for_ms: int
    corrections_for_ms: int
    currency: str
    truncated: int
    compared_from: int
    compared_until: int
    def __init__(self, models: _Optional[_Iterable[str]] = ..., lookbacks: _Optional[_Iterable[_Union[Lookback, _Mapping]]] = ..., time_zone: _Optional[str] = ..., rollup: _Optional[str] = ..., rollup_since: _Optional[int] = ..., models_since: _Optional[_Iterable[int]] = ..., complete_through: _Optional[int] = ..., lag_ms: _Optional[int] = ..., changes_for_ms: _Optional[int] = ..., corrections_for_ms: _Optional[int] = ..., currency: _Optional[str] = ..., truncated: _Optional[int] = ..., compared_from: _Optional[int] = ..., compared_until: _Optional[int] = ...) -> None: ...

class Lookback(_message.Message):
    __slots__ = ("conversion_type", "lookback_ms")
    CONVERSION_TYPE_FIELD_NUMBER: _ClassVar[int]
    LOOKBACK_MS_FIELD_NUMBER: _ClassVar[int]
    conversion_type: str
    lookback_ms: int
    def __init__(self, conversion_type: _Optional[str] = ..., lookback_ms: _Optional[int] = ...) -> None: ...

class ListConversionsRequest(_message.Message):
    __slots__ = ("start_date", "end_date", "time_zone", "filters", "attributed", "model", "user_id", "order_by", "limit", "page_token")
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    FILTERS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTED_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    start_date: str
    end_date: str
    time_zone: str
    filters: _containers.RepeatedCompositeFieldContainer[ReportFilter]
    attributed: Attributed
    model: str
    user_id: str
    order_by: str
    limit: int
    page_token: str
    def __init__(self, start_date: _Optional[str] = ..., end_date: _Optional[str] = ..., time_zone: _Optional[str] = ..., filters: _Optional[_Iterable[_Union[ReportFilter, _Mapping]]] = ..., attributed: _Optional[_Union[Attributed, str]] = ..., model: _Optional[str] = ..., user_id: _Optional[str] = ..., order_by: _Optional[str] = ..., limit: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListConversionsResponse(_message.Message):
    __slots__ = ("conversions", "total", "next_page_token")
    CONVERSIONS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    conversions: _containers.RepeatedCompositeFieldContainer[ListedConversion]
    total: int
    next_page_token: str
    def __init__(self, conversions: _Optional[_Iterable[_Union[ListedConversion, _Mapping]]] = ..., total: _Optional[int] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListedConversion(_message.Message):
    __slots__ = ("conversion_id", "user_id", "conversion_type", "conversion_time", "value_micros", "net_value_micros", "attributed", "retracted", "truncated", "touches", "lag_ms", "click_id", "campaign_id", "ad_id", "source", "credit_micros", "corrected_by")
    CONVERSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_TYPE_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_TIME_FIELD_NUMBER: _ClassVar[int]
    VALUE_MICROS_FIELD_NUMBER: _ClassVar[int]
    NET_VALUE_MICROS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTED_FIELD_NUMBER: _ClassVar[int]
    RETRACTED_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    TOUCHES_FIELD_NUMBER: _ClassVar[int]
    LAG_MS_FIELD_NUMBER: _ClassVar[int]
    CLICK_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    AD_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CREDIT_MICROS_FIELD_NUMBER: _ClassVar[int]
    CORRECTED_BY_FIELD_NUMBER: _ClassVar[int]
    conversion_id: str
    user_id: str
    conversion_type: str
    conversion_time: int
    value_micros: int
    net_value_micros: int
    attributed: bool
    retracted: bool
    truncated: bool
    touches: int
    lag_ms: int
    click_id: str
    campaign_id: str
    ad_id: str
    source: str
    credit_micros: int
    corrected_by: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, conversion_id: _Optional[str] = ..., user_id: _Optional[str] = ..., conversion_type: _Optional[str] = ..., conversion_time: _Optional[int] = ..., value_micros: _Optional[int] = ..., net_value_micros: _Optional[int] = ..., attributed: _Optional[bool] = ..., retracted: _Optional[bool] = ..., truncated: _Optional[bool] = ..., touches: _Optional[int] = ..., lag_ms: _Optional[int] = ..., click_id: _Optional[str] = ..., campaign_id: _Optional[str] = ..., ad_id: _Optional[str] = ..., source: _Optional[str] = ..., credit_micros: _Optional[int] = ..., corrected_by: _Optional[_Iterable[str]] = ...) -> None: ...

class ListClicksRequest(_message.Message):
    __slots__ = ("user_id", "start_date", "end_date", "time_zone", "limit", "page_token")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    start_date: str
    end_date: str
    time_zone: str
    limit: int
    page_token: str
    def __init__(self, user_id: _Optional[str] = ..., start_date: _Optional[str] = ..., end_date: _Optional[str] = ..., time_zone: _Optional[str] = ..., limit: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListClicksResponse(_message.Message):
    __slots__ = ("clicks", "total", "next_page_token")
    CLICKS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    clicks: _containers.RepeatedCompositeFieldContainer[ListedClick]
    total: int
    next_page_token: str
    def __init__(self, clicks: _Optional[_Iterable[_Union[ListedClick, _Mapping]]] = ..., total: _Optional[int] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListedClick(_message.Message):
    __slots__ = ("click_id", "ad_id", "campaign_id", "source", "click_time", "metadata", "invalid", "conversions")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    CLICK_ID_FIELD_NUMBER: _ClassVar[int]
    AD_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CLICK_TIME_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    INVALID_FIELD_NUMBER: _ClassVar[int]
    CONVERSIONS_FIELD_NUMBER: _ClassVar[int]
    click_id: str
    ad_id: str
    campaign_id: str
    source: str
    click_time: int
    metadata: _containers.ScalarMap[str, str]
    invalid: bool
    conversions: int
    def __init__(self, click_id: _Optional[str] = ..., ad_id: _Optional[str] = ..., campaign_id: _Optional[str] = ..., source: _Optional[str] = ..., click_time: _Optional[int] = ..., metadata: _Optional[_Mapping[str, str]] = ..., invalid: _Optional[bool] = ..., conversions: _Optional[int] = ...) -> None: ...

class TopPathsRequest(_message.Message):
    __slots__ = ("start_date", "end_date", "time_zone", "filters", "dimension", "collapse_repeats", "max_steps", "limit", "min_touches")
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    FILTERS_FIELD_NUMBER: _ClassVar[int]
    DIMENSION_FIELD_NUMBER: _ClassVar[int]
    COLLAPSE_REPEATS_FIELD_NUMBER: _ClassVar[int]
    MAX_STEPS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MIN_TOUCHES_FIELD_NUMBER: _ClassVar[int]
    start_date: str
    end_date: str
    time_zone: str
    filters: _containers.RepeatedCompositeFieldContainer[ReportFilter]
    dimension: str
    collapse_repeats: bool
    max_steps: int
    limit: int
    min_touches: int
    def __init__(self, start_date: _Optional[str] = ..., end_date: _Optional[str] = ..., time_zone: _Optional[str] = ..., filters: _Optional[_Iterable[_Union[ReportFilter, _Mapping]]] = ..., dimension: _Optional[str] = ..., collapse_repeats: _Optional[bool] = ..., max_steps: _Optional[int] = ..., limit: _Optional[int] = ..., min_touches: _Optional[int] = ...) -> None: ...

class TopPathsResponse(_message.Message):
    __slots__ = ("paths", "conversions", "total_paths", "revenue_micros")
    PATHS_FIELD_NUMBER: _ClassVar[int]
    CONVERSIONS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_PATHS_FIELD_NUMBER: _ClassVar[int]
    REVENUE_MICROS_FIELD_NUMBER: _ClassVar[int]
    paths: _containers.RepeatedCompositeFieldContainer[ConversionPath]
    conversions: int
    total_paths: int
    revenue_micros: int
    def __init__(self, paths: _Optional[_Iterable[_Union[ConversionPath, _Mapping]]] = ..., conversions: _Optional[int] = ..., total_paths: _Optional[int] = ..., revenue_micros: _Optional[int] = ...) -> None: ...

class ConversionPath(_message.Message):
    __slots__ = ("steps", "longer", "conversions", "revenue_micros", "share", "median_lag_ms", "median_last_lag_ms")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    LONGER_FIELD_NUMBER: _ClassVar[int]
    CONVERSIONS_FIELD_NUMBER: _ClassVar[int]
    REVENUE_MICROS_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_LAG_MS_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_LAST_LAG_MS_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedScalarFieldContainer[str]
    longer: bool
    conversions: int
    revenue_micros: int
    share: float
    median_lag_ms: int
    median_last_lag_ms: int
    def __init__(self, steps: _Optional[_Iterable[str]] = ..., longer: _Optional[bool] = ..., conversions: _Optional[int] = ..., revenue_micros: _Optional[int] = ..., share: _Optional[float] = ..., median_lag_ms: _Optional[int] = ..., median_last_lag_ms: _Optional[int] = ...) -> None: ...

class TopTouchesRequest(_message.Message):
    __slots__ = ("start_date", "end_date", "time_zone", "filters", "dimension", "limit")
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    FILTERS_FIELD_NUMBER: _ClassVar[int]
    DIMENSION_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    start_date: str
    end_date: str
    time_zone: str
    filters: _containers.RepeatedCompositeFieldContainer[ReportFilter]
    dimension: str
    limit: int
    def __init__(self, start_date: _Optional[str] = ..., end_date: _Optional[str] = ..., time_zone: _Optional[str] = ..., filters: _Optional[_Iterable[_Union[ReportFilter, _Mapping]]] = ..., dimension: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class TopTouchesResponse(_message.Message):
    __slots__ = ("values", "conversions", "total_values")
    VALUES_FIELD_NUMBER: _ClassVar[int]
    CONVERSIONS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedCompositeFieldContainer[TouchedValue]
    conversions: int
    total_values: int
    def __init__(self, values: _Optional[_Iterable[_Union[TouchedValue, _Mapping]]] = ..., conversions: _Optional[int] = ..., total_values: _Optional[int] = ...) -> None: ...

class TouchedValue(_message.Message):
    __slots__ = ("value", "conversions", "revenue_micros")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CONVERSIONS_FIELD_NUMBER: _ClassVar[int]
    REVENUE_MICROS_FIELD_NUMBER: _ClassVar[int]
    value: str
    conversions: int
    revenue_micros: int
    def __init__(self, value: _Optional[str] = ..., conversions: _Optional[int] = ..., revenue_micros: _Optional[int] = ...) -> None: ...

class TimeLagRequest(_message.Message):
    __slots__ = ("start_date", "end_date", "time_zone", "filters", "model")
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    FILTERS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    start_date: str
    end_date: str
    time_zone: str
    filters: _containers.RepeatedCompositeFieldContainer[ReportFilter]
    model: str
    def __init__(self, start_date: _Optional[str] = ..., end_date: _Optional[str] = ..., time_zone: _Optional[str] = ..., filters: _Optional[_Iterable[_Union[ReportFilter, _Mapping]]] = ..., model: _Optional[str] = ...) -> None: ...

class TimeLagResponse(_message.Message):
    __slots__ = ("buckets", "p50_ms", "p90_ms", "p99_ms")
    BUCKETS_FIELD_NUMBER: _ClassVar[int]
    P50_MS_FIELD_NUMBER: _ClassVar[int]
    P90_MS_FIELD_NUMBER: _ClassVar[int]
    P99_MS_FIELD_NUMBER: _ClassVar[int]
    buckets: _containers.RepeatedCompositeFieldContainer[LagBucket]
    p50_ms: int
    p90_ms: int
    p99_ms: int
    def __init__(self, buckets: _Optional[_Iterable[_Union[LagBucket, _Mapping]]] = ..., p50_ms: _Optional[int] = ..., p90_ms: _Optional[int] = ..., p99_ms: _Optional[int] = ...) -> None: ...

class LagBucket(_message.Message):
    __slots__ = ("from_ms", "to_ms", "conversions_micros", "revenue_micros")
    FROM_MS_FIELD_NUMBER: _ClassVar[int]
    TO_MS_FIELD_NUMBER: _ClassVar[int]
    CONVERSIONS_MICROS_FIELD_NUMBER: _ClassVar[int]
    REVENUE_MICROS_FIELD_NUMBER: _ClassVar[int]
    from_ms: int
    to_ms: int
    conversions_micros: int
    revenue_micros: int
    def __init__(self, from_ms: _Optional[int] = ..., to_ms: _Optional[int] = ..., conversions_micros: _Optional[int] = ..., revenue_micros: _Optional[int] = ...) -> None: ...

class PathLengthRequest(_message.Message):
    __slots__ = ("start_date", "end_date", "time_zone", "filters")
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    FILTERS_FIELD_NUMBER: _ClassVar[int]
    start_date: str
    end_date: str
    time_zone: str
    filters: _containers.RepeatedCompositeFieldContainer[ReportFilter]
    def __init__(self, start_date: _Optional[str] = ..., end_date: _Optional[str] = ..., time_zone: _Optional[str] = ..., filters: _Optional[_Iterable[_Union[ReportFilter, _Mapping]]] = ...) -> None: ...

class PathLengthResponse(_message.Message):
    __slots__ = ("buckets",)
    BUCKETS_FIELD_NUMBER: _ClassVar[int]
    buckets: _containers.RepeatedCompositeFieldContainer[LengthBucket]
    def __init__(self, buckets: _Optional[_Iterable[_Union[LengthBucket, _Mapping]]] = ...) -> None: ...

class LengthBucket(_message.Message):
    __slots__ = ("touches", "conversions", "revenue_micros")
    TOUCHES_FIELD_NUMBER: _ClassVar[int]
    CONVERSIONS_FIELD_NUMBER: _ClassVar[int]
    REVENUE_MICROS_FIELD_NUMBER: _ClassVar[int]
    touches: int
    conversions: int
    revenue_micros: int
    def __init__(self, touches: _Optional[int] = ..., conversions: _Optional[int] = ..., revenue_micros: _Optional[int] = ...) -> None: ...

class ListConflictsRequest(_message.Message):
    __slots__ = ("user_id", "event_type", "event_id", "limit", "page_token")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    event_type: str
    event_id: str
    limit: int
    page_token: str
    def __init__(self, user_id: _Optional[str] = ..., event_type: _Optional[str] = ..., event_id: _Optional[str] = ..., limit: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListConflictsResponse(_message.Message):
    __slots__ = ("conflicts", "total", "next_page_token")
    CONFLICTS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    conflicts: _containers.RepeatedCompositeFieldContainer[ListedConflict]
    total: int
    next_page_token: str
    def __init__(self, conflicts: _Optional[_Iterable[_Union[ListedConflict, _Mapping]]] = ..., total: _Optional[int] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListedConflict(_message.Message):
    __slots__ = ("not_kept", "kept", "arrival_time")
    NOT_KEPT_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    ARRIVAL_TIME_FIELD_NUMBER: _ClassVar[int]
    not_kept: _attribution_pb2.EventConflict
    kept: _attribution_pb2.EventConflict
    arrival_time: int
    def __init__(self, not_kept: _Optional[_Union[_attribution_pb2.EventConflict, _Mapping]] = ..., kept: _Optional[_Union[_attribution_pb2.EventConflict, _Mapping]] = ..., arrival_time: _Optional[int] = ...) -> None: ...

class ListDeadLettersRequest(_message.Message):
    __slots__ = ("limit", "page_token")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    limit: int
    page_token: str
    def __init__(self, limit: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDeadLettersResponse(_message.Message):
    __slots__ = ("dead_letters", "total", "next_page_token", "set_aside")
    DEAD_LETTERS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SET_ASIDE_FIELD_NUMBER: _ClassVar[int]
    dead_letters: _containers.RepeatedCompositeFieldContainer[DeadLetter]
    total: int
    next_page_token: str
    set_aside: _containers.RepeatedCompositeFieldContainer[DeadLetter]
    def __init__(self, dead_letters: _Optional[_Iterable[_Union[DeadLetter, _Mapping]]] = ..., total: _Optional[int] = ..., next_page_token: _Optional[str] = ..., set_aside: _Optional[_Iterable[_Union[DeadLetter, _Mapping]]] = ...) -> None: ...

class DeadLetter(_message.Message):
    __slots__ = ("topic", "partition", "offset", "arrival_time", "error", "value")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    ARRIVAL_TIME_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    topic: str
    partition: int
    offset: int
    arrival_time: int
    error: str
    value: bytes
    def __init__(self, topic: _Optional[str] = ..., partition: _Optional[int] = ..., offset: _Optional[int] = ..., arrival_time: _Optional[int] = ..., error: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...

class WatchReportRequest(_message.Message):
    __slots__ = ("query", "period_ms", "cursor")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    PERIOD_MS_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    query: RunReportRequest
    period_ms: int
    cursor: str
    def __init__(self, query: _Optional[_Union[RunReportRequest, _Mapping]] = ..., period_ms: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...

class WatchReportResponse(_message.Message):
    __slots__ = ("report", "cursor", "complete_through", "lag_ms")
    REPORT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_THROUGH_FIELD_NUMBER: _ClassVar[int]
    LAG_MS_FIELD_NUMBER: _ClassVar[int]
    report: RunReportResponse
    cursor: str
    complete_through: int
    lag_ms: int
    def __init__(self, report: _Optional[_Union[RunReportResponse, _Mapping]] = ..., cursor: _Optional[str] = ..., complete_through: _Optional[int] = ..., lag_ms: _Optional[int] = ...) -> None: ...

class TailEventsRequest(_message.Message):
    __slots__ = ("event_types", "filters", "user_id")
    EVENT_TYPES_FIELD_NUMBER: _ClassVar[int]
    FILTERS_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    event_types: _containers.RepeatedScalarFieldContainer[str]
    filters: _containers.RepeatedCompositeFieldContainer[ReportFilter]
    user_id: str
    def __init__(self, event_types: _Optional[_Iterable[str]] = ..., filters: _Optional[_Iterable[_Union[ReportFilter, _Mapping]]] = ..., user_id: _Optional[str] = ...) -> None: ...

class TailEventsResponse(_message.Message):
    __slots__ = ("events", "skipped", "seconds")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[TailedEvent]
    skipped: int
    seconds: _containers.RepeatedCompositeFieldContainer[TailedSecond]
    def __init__(self, events: _Optional[_Iterable[_Union[TailedEvent, _Mapping]]] = ..., skipped: _Optional[int] = ..., seconds: _Optional[_Iterable[_Union[TailedSecond, _Mapping]]] = ...) -> None: ...

class TailedSecond(_message.Message):
    __slots__ = ("time", "clicks", "conversions", "adjustments", "verdicts")
    TIME_FIELD_NUMBER: _ClassVar[int]
    CLICKS_FIELD_NUMBER: _ClassVar[int]
    CONVERSIONS_FIELD_NUMBER: _ClassVar[int]
    ADJUSTMENTS_FIELD_NUMBER: _ClassVar[int]
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    time: int
    clicks: int
    conversions: int
    adjustments: int
    verdicts: int
    def __init__(self, time: _Optional[int] = ..., clicks: _Optional[int] = ..., conversions: _Optional[int] = ..., adjustments: _Optional[int] = ..., verdicts: _Optional[int] = ...) -> None: ...

class TailedEvent(_message.Message):
    __slots__ = ("event_type", "event_id", "user_id", "campaign_id", "ad_id", "source", "conversion_type", "value_micros", "kind", "target_id", "timestamp", "arrival_time", "credited_campaign_id", "outcome")
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    AD_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_TYPE_FIELD_NUMBER: _ClassVar[int]
    VALUE_MICROS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TARGET_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    ARRIVAL_TIME_FIELD_NUMBER: _ClassVar[int]
    CREDITED_CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    event_type: str
    event_id: str
    user_id: str
    campaign_id: str
    ad_id: str
    source: str
    conversion_type: str
    value_micros: int
    kind: str
    target_id: str
    timestamp: int
    arrival_time: int
    credited_campaign_id: str
    outcome: str
    def __init__(self, event_type: _Optional[str] = ..., event_id: _Optional[str] = ..., user_id: _Optional[str] = ..., campaign_id: _Optional[str] = ..., ad_id: _Optional[str] = ..., source: _Optional[str] = ..., conversion_type: _Optional[str] = ..., value_micros: _Optional[int] = ..., kind: _Optional[str] = ..., target_id: _Optional[str] = ..., timestamp: _Optional[int] = ..., arrival_time: _Optional[int] = ..., credited_campaign_id: _Optional[str] = ..., outcome: _Optional[str] = ...) -> None: ...

class RunAuditRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RunAuditResponse(_message.Message):
    __slots__ = ("checks", "done", "finished_at")
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    FINISHED_AT_FIELD_NUMBER: _ClassVar[int]
    checks: _containers.RepeatedCompositeFieldContainer[AuditCheck]
    done: bool
    finished_at: int
    def __init__(self, checks: _Optional[_Iterable[_Union[AuditCheck, _Mapping]]] = ..., done: _Optional[bool] = ..., finished_at: _Optional[int] = ...) -> None: ...

class AuditCheck(_message.Message):
    __slots__ = ("name", "outcome", "compared", "differing", "text")
    NAME_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    COMPARED_FIELD_NUMBER: _ClassVar[int]
    DIFFERING_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    name: str
    outcome: str
    compared: int
    differing: int
    text: str
    def __init__(self, name: _Optional[str] = ..., outcome: _Optional[str] = ..., compared: _Optional[int] = ..., differing: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...
