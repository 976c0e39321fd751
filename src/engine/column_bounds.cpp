#include "engine/column_bounds.hpp"

#include <duckdb/common/operator/comparison_operators.hpp>
#include <duckdb/common/vector_operations/vector_operations.hpp>

namespace boathouse::engine {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using duckdb::PhysicalType;
using duckdb::UnifiedVectorFormat;

namespace {

// Where the first least and the first greatest value of a vector are; none if all are NULL.
struct Extremes {
    std::optional<std::size_t> least;
    std::size_t greatest = 0;
    bool has_null = false;
};

template <class T>
Extremes extremes_of(const UnifiedVectorFormat& values, std::size_t count) {
    const auto* const data = UnifiedVectorFormat::GetData<T>(values);
    Extremes found;
    std::size_t least = 0;
    std::size_t greatest = 0;
    for (std::size_t row = 0; row < count; ++row) {
        const auto index = values.sel->get_index(row);
        if (!values.validity.RowIsValid(index)) {
            found.has_null = true;
        } else if (!found.least) {
            found.least = found.greatest = row;
            least = greatest = index;
        } else if (duckdb::LessThan::Operation<T>(data[index], data[least])) {
            found.least = row;
            least = index;
        } else if (duckdb::GreaterThan::Operation<T>(data[index], data[greatest])) {
            found.greatest = row;
            greatest = index;
        }
    }
    return found;
}

Extremes extremes_of(duckdb::Vector& values, std::size_t count) {
    UnifiedVectorFormat format;
    values.ToUnifiedFormat(count, format);
    switch (values.GetType().InternalType()) {
        case PhysicalType::BOOL:
            return extremes_of<bool>(format, count);
        case PhysicalType::INT8:
            return extremes_of<std::int8_t>(format, count);
        case PhysicalType::INT16:
            return extremes_of<std::int16_t>(format, count);
        case PhysicalType::INT32:
            return extremes_of<std::int32_t>(format, count);
        case PhysicalType::INT64:
            return extremes_of<std::int64_t>(format, count);
        case PhysicalType::INT128:
            return extremes_of<duckdb::hugeint_t>(format, count);
        case PhysicalType::UINT8:
            return extremes_of<std::uint8_t>(format, count);
        case PhysicalType::UINT16:
            return extremes_of<std::uint16_t>(format, count);
        case PhysicalType::UINT32:
            return extremes_of<std::uint32_t>(format, count);
        case PhysicalType::UINT64:
            return extremes_of<std::uint64_t>(format, count);
        case PhysicalType::UINT128:
            return extremes_of<duckdb::uhugeint_t>(format, count);
        case PhysicalType::FLOAT:
            return extremes_of<float>(format, count);
        case PhysicalType::DOUBLE:
            return extremes_of<double>(format, count);
        case PhysicalType::VARCHAR:
            return extremes_of<duckdb::string_t>(format, count);
        default:
            throw duckdb::InternalException("no order is known of %s", values.GetType().ToString());
    }
}

std::string text_of(const duckdb::Vector& values, std::size_t row) {
    return duckdb::StringValue::Get(values.GetValue(row).DefaultCastAs(LogicalType::VARCHAR));
}

}  // namespace

bool ColumnBounds::by_value() const {
    return type_.IsNumeric() || type_.IsTemporal() || type_.id() == LogicalTypeId::BOOLEAN;
}

bool ColumnBounds::is_less(const std::string& left, const std::string& right) const {
    if (!by_value()) return left < right;
    return duckdb::Value(left).DefaultCastAs(type_) < duckdb::Value(right).DefaultCastAs(type_);
}

void ColumnBounds::take(const std::string& least, const std::string& greatest) {
    if (!min_ || is_less(least, *min_)) min_ = least;
    if (!max_ || is_less(*max_, greatest)) max_ = greatest;
}

void ColumnBounds::add(duckdb::Vector& values, std::size_t count) {
    if (by_value() || type_.id() == LogicalTypeId::VARCHAR) {
        const Extremes found = extremes_of(values, count);
        has_null_ = has_null_ || found.has_null;
        if (found.least) take(text_of(values, *found.least), text_of(values, found.greatest));
        return;
    }
    duckdb::Vector texts(LogicalType::VARCHAR, count);
    duckdb::VectorOperations::DefaultCast(values, texts, count);
    const Extremes found = extremes_of(texts, count);
    has_null_ = has_null_ || found.has_null;
    if (found.least) take(text_of(texts, *found.least), text_of(texts, found.greatest));
}

catalog::ColumnStatistics ColumnBounds::alone(long long column_id) const {
    return {column_id, has_null_, min_, max_};
}

// A column without bounds is one of which every value is NULL, or so the official extension takes it.
catalog::ColumnStatistics ColumnBounds::after(const catalog::ColumnStatistics& before) const {
    catalog::ColumnStatistics now = before;
    if (now.contains_null) now.contains_null = *now.contains_null || has_null_;
    if (!min_) return now;
    if (!before.min && !before.max) {
        now.min = min_;
        now.max = max_;
        return now;
    }
    if (before.min && is_less(*min_, *before.min)) now.min = min_;
    if (before.max && is_less(*before.max, *max_)) now.max = max_;
    return now;
}

}  // namespace boathouse::engine
