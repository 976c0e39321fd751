#include "arrow/text_check.hpp"

#include "base/log.hpp"
#include "pgwire/utf8.hpp"

namespace boathouse::arrow {
namespace {

// The element of a list, a struct or a dictionary need not belong to one row: then the batch is all that is known.
std::optional<std::int64_t> find_bad_value(const ArrowArrayView& view) {
    for (std::int64_t i = 0; i < view.length; ++i) {
        if (ArrowArrayViewIsNull(&view, i)) continue;
        const ArrowStringView text = ArrowArrayViewGetStringUnsafe(&view, i);
        const std::string_view bytes(text.data, static_cast<std::size_t>(text.size_bytes));
        if (pgwire::find_invalid_utf8(bytes) != std::string_view::npos) return i;
    }
    return std::nullopt;
}

bool is_text(ArrowType type) {
    return type == NANOARROW_TYPE_STRING || type == NANOARROW_TYPE_LARGE_STRING || type == NANOARROW_TYPE_STRING_VIEW;
}

// Whether a text below this one is not UTF-8.
bool has_bad_below(const ArrowArrayView& view) {
    if (is_text(view.storage_type) && find_bad_value(view)) return true;
    if (view.dictionary != nullptr && has_bad_below(*view.dictionary)) return true;
    for (std::int64_t i = 0; i < view.n_children; ++i) {
        if (has_bad_below(*view.children[i])) return true;
    }
    return false;
}

}  // namespace

std::optional<std::string> find_bad_name(const ArrowSchema& schema) {
    const std::string_view name = schema.name == nullptr ? "" : schema.name;
    if (pgwire::find_invalid_utf8(name) != std::string_view::npos) {
        std::string shown;
        for (const unsigned char byte : name)
            shown +=
                byte >= ' ' && byte < 0x7f ? std::string(1, static_cast<char>(byte)) : fmt::format("\\x{:02x}", byte);
        return shown;
    }
    for (std::int64_t i = 0; i < schema.n_children; ++i) {
        if (auto bad = find_bad_name(*schema.children[i])) return bad;
    }
    return std::nullopt;
}

std::optional<Error> find_bad_text(const ArrowSchema& schema, const ArrowArray& batch, std::int64_t rows_before) {
    nanoarrow::UniqueArrayView view;
    NANOARROW_THROW_NOT_OK(ArrowArrayViewInitFromSchema(view.get(), &schema, nullptr));
    NANOARROW_THROW_NOT_OK(ArrowArrayViewSetArray(view.get(), &batch, nullptr));
    for (std::int64_t i = 0; i < view->n_children; ++i) {
        const ArrowArrayView& column = *view->children[i];
        const std::string name = schema.children[i]->name == nullptr ? "" : schema.children[i]->name;
        if (is_text(column.storage_type)) {
            if (const auto row = find_bad_value(column)) {
                return Error{
                    ErrorKind::corrupt,
                    fmt::format("row {}: column \"{}\" has a text that is not UTF-8", rows_before + *row + 1, name),
                    "Nothing is written. Send bytes that are no text as binary.", ""};
            }
        } else if (has_bad_below(column)) {
            return Error{ErrorKind::corrupt,
                         fmt::format("column \"{}\" has a text that is not UTF-8 in one of the rows {} to {}", name,
                                     rows_before + 1, rows_before + batch.length),
                         "Nothing is written. Send bytes that are no text as binary.", ""};
        }
    }
    return std::nullopt;
}

}  // namespace boathouse::arrow
