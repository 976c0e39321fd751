#include "engine/row_casts.hpp"

#include <duckdb/common/vector_operations/vector_operations.hpp>

#include "engine/new_rows_impl.hpp"

namespace boathouse::engine {

namespace {

// Of a value in a message.
constexpr std::size_t kShownBytes = 100;

std::string shown(const duckdb::Value& value) {
    std::string text = value.ToString();
    if (text.size() <= kShownBytes) return text;
    std::size_t end = kShownBytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return text.substr(0, end) + "…";
}

}  // namespace

RowCasts::RowCasts(duckdb::ClientContext& context, std::shared_ptr<const TableShape> shape,
                   std::vector<duckdb::Value> defaults)
    : context_(context), shape_(std::move(shape)), defaults_(std::move(defaults)) {
    rows_ = duckdb::make_uniq<duckdb::ColumnDataCollection>(duckdb::Allocator::DefaultAllocator(), shape_->types);
    rows_->InitializeAppend(append_);
}

void RowCasts::fault(std::uint64_t place, const std::string& column, QueryError error) {
    if (taken_.faults.size() < kFaultsMax) taken_.faults.push_back({place, column, std::move(error)});
    ++taken_.faulty;
}

void RowCasts::cast(const Given& column, duckdb::Vector& result, const std::vector<std::uint64_t>& places,
                    std::vector<bool>& faulty) {
    const duckdb::idx_t count = places.size();
    const std::string& name = shape_->names[column.target];
    duckdb::string message;
    const bool all = duckdb::VectorOperations::TryCast(context_, *column.values, result, count, &message);
    result.Flatten(count);
    column.values->Flatten(count);
    const auto& given = duckdb::FlatVector::Validity(*column.values);
    const auto& made = duckdb::FlatVector::Validity(result);
    for (duckdb::idx_t row = 0; !all && row < count; ++row) {
        if (faulty[row] || !given.RowIsValid(row) || made.RowIsValid(row)) continue;
        faulty[row] = true;
        fault(places[row], name,
              {"22P02", "invalid value for column \"" + name + "\" of type " + shape_->types[column.target].ToString() +
                            ": \"" + shown(column.values->GetValue(row)) + "\""});
    }
    for (duckdb::idx_t row = 0; column.absent != nullptr && row < count; ++row) {
        if ((*column.absent)[row]) result.SetValue(row, defaults_[column.target]);
    }
}

void RowCasts::refuse_nulls(duckdb::DataChunk& chunk, const std::vector<std::uint64_t>& places,
                            std::vector<bool>& faulty) {
    for (const std::size_t column : shape_->not_null) {
        if (!duckdb::VectorOperations::HasNull(chunk.data[column], chunk.size())) continue;
        chunk.data[column].Flatten(chunk.size());
        const auto& valid = duckdb::FlatVector::Validity(chunk.data[column]);
        for (duckdb::idx_t row = 0; row < chunk.size(); ++row) {
            if (faulty[row] || valid.RowIsValid(row)) continue;
            faulty[row] = true;
            fault(places[row], shape_->names[column],
                  {"23502", "null value in column \"" + shape_->names[column] + "\" of relation \"" + shape_->table +
                                "\" violates not-null constraint"});
        }
    }
}

void RowCasts::add(const std::vector<Given>& columns, const std::vector<std::uint64_t>& places,
                   std::vector<bool>& faulty) {
    duckdb::DataChunk chunk;
    chunk.Initialize(duckdb::Allocator::DefaultAllocator(), shape_->types, places.size());
    chunk.SetCardinality(places.size());
    std::vector<bool> is_given(shape_->types.size());
    for (const Given& column : columns) {
        cast(column, chunk.data[column.target], places, faulty);
        is_given[column.target] = true;
    }
    for (std::size_t i = 0; i < is_given.size(); ++i) {
        if (!is_given[i]) chunk.data[i].Reference(defaults_[i]);
    }
    refuse_nulls(chunk, places, faulty);
    duckdb::SelectionVector good(places.size());
    duckdb::idx_t count = 0;
    for (duckdb::idx_t row = 0; row < places.size(); ++row) {
        if (!faulty[row]) good.set_index(count++, row);
    }
    if (count < places.size()) chunk.Slice(good, count);
    if (count > 0) rows_->Append(append_, chunk);
}

TakenRows RowCasts::finish() {
    if (rows_->Count() > 0) {
        auto impl = std::make_unique<NewRows::Impl>();
        impl->shape = shape_;
        impl->rows = std::move(rows_);
        taken_.rows.emplace(std::move(impl));
    }
    return std::move(taken_);
}

}  // namespace boathouse::engine
