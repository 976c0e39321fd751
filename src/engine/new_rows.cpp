#include "engine/new_rows.hpp"

#include "engine/new_rows_impl.hpp"

namespace boathouse::engine {

namespace {

std::size_t bytes_of(duckdb::DataChunk& chunk) {
    std::size_t bytes = chunk.GetAllocationSize();
    for (duckdb::Vector& column : chunk.data) {
        if (column.GetType().InternalType() != duckdb::PhysicalType::VARCHAR) continue;
        const auto* const values = duckdb::FlatVector::GetData<duckdb::string_t>(column);
        for (std::size_t row = 0; row < chunk.size(); ++row) {
            if (!duckdb::FlatVector::IsNull(column, row)) bytes += values[row].GetSize();
        }
    }
    return bytes;
}

}  // namespace

NewRows::NewRows(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
NewRows::NewRows(NewRows&&) noexcept = default;
NewRows& NewRows::operator=(NewRows&&) noexcept = default;
NewRows::~NewRows() = default;

std::uint64_t NewRows::count() const {
    return impl_->few ? impl_->few->size() : impl_->rows->Count();
}
std::size_t NewRows::bytes() const {
    return impl_->few ? bytes_of(*impl_->few) : impl_->rows->AllocationSize();
}
std::shared_ptr<const void> NewRows::shape() const {
    return impl_->shape;
}
const std::string& NewRows::table() const {
    return impl_->shape->table;
}

access::Needs NewRows::needs() const {
    return impl_->shape->insert_needs();
}

}  // namespace boathouse::engine
