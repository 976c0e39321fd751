#include "engine/new_rows.hpp"

#include "engine/new_rows_impl.hpp"

namespace boathouse::engine {

NewRows::NewRows(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
NewRows::NewRows(NewRows&&) noexcept = default;
NewRows& NewRows::operator=(NewRows&&) noexcept = default;
NewRows::~NewRows() = default;

std::uint64_t NewRows::count() const {
    return impl_->rows->Count();
}
std::size_t NewRows::bytes() const {
    return impl_->rows->AllocationSize();
}
const void* NewRows::shape() const {
    return impl_->shape.get();
}
const std::string& NewRows::table() const {
    return impl_->shape->table;
}

}  // namespace boathouse::engine
