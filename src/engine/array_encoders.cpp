#include <strings.h>

#include "engine/value_encoders.hpp"
#include "engine/wire_types.hpp"

namespace boathouse::engine {

using duckdb::idx_t;
using duckdb::list_entry_t;
using duckdb::LogicalTypeId;
using pgwire::Buffer;

namespace {

bool is_list(const duckdb::LogicalType& type) {
    return type.id() == LogicalTypeId::LIST || type.id() == LogicalTypeId::ARRAY;
}

[[noreturn]] void refuse(const char* what) {
    throw duckdb::NotImplementedException("%s; cast it to JSON or VARCHAR", what);
}

// Lengths of the dimensions, as PostgreSQL's arrays have them: every list of one level is as long as its siblings.
std::vector<idx_t> dimensions(const ColumnEncoder& column, const Cells& cells, idx_t index) {
    const list_entry_t entry = list_entry(column, cells, index);
    if (entry.length == 0) return {};
    std::vector<idx_t> lengths{entry.length};
    const ColumnEncoder& child = column.children[0];
    if (!is_list(child.type)) return lengths;

    const Cells& values = cells.children[0];
    std::vector<idx_t> inner;
    for (idx_t i = 0; i < entry.length; ++i) {
        const idx_t at = values.unified.sel->get_index(entry.offset + i);
        if (!values.unified.validity.RowIsValid(at))
            refuse("a list with a NULL among its lists is no PostgreSQL array");
        std::vector<idx_t> lengths_here = dimensions(child, values, at);
        if (lengths_here.empty()) refuse("a list with an empty list in it is no PostgreSQL array");
        if (i > 0 && lengths_here != inner) refuse("lists of different lengths in a list are no PostgreSQL array");
        inner = std::move(lengths_here);
    }
    lengths.insert(lengths.end(), inner.begin(), inner.end());
    return lengths;
}

// array_out quotes what its parser would misread.
bool needs_quotes(std::string_view value) {
    if (value.empty()) return true;
    if (value.size() == 4 && strncasecmp(value.data(), "NULL", 4) == 0) return true;
    return value.find_first_of("{}\",\\ \t\n\r\v\f") != std::string_view::npos;
}

void put_quoted(Buffer& out, std::string_view value) {
    out.put_byte('"');
    for (const char byte : value) {
        if (byte == '"' || byte == '\\') out.put_byte('\\');
        out.put_byte(byte);
    }
    out.put_byte('"');
}

void put_values_text(Buffer& out, const ColumnEncoder& column, const Cells& cells, idx_t index) {
    const list_entry_t entry = list_entry(column, cells, index);
    const ColumnEncoder& child = column.children[0];
    const Cells& values = cells.children[0];
    Buffer scratch;
    out.put_byte('{');
    for (idx_t i = 0; i < entry.length; ++i) {
        if (i > 0) out.put_byte(',');
        const idx_t at = values.unified.sel->get_index(entry.offset + i);
        if (!values.unified.validity.RowIsValid(at)) {
            out.put("NULL");
        } else if (is_list(child.type)) {
            put_values_text(out, child, values, at);
        } else {
            scratch.clear();
            child.put_value(scratch, child, values, at);
            needs_quotes(scratch.view()) ? put_quoted(out, scratch.view()) : out.put(scratch.view());
        }
    }
    out.put_byte('}');
}

// array_send's values; true if one of them is NULL.
bool put_values_binary(Buffer& out, const ColumnEncoder& column, const Cells& cells, idx_t index) {
    const list_entry_t entry = list_entry(column, cells, index);
    const ColumnEncoder& child = column.children[0];
    const Cells& values = cells.children[0];
    bool has_null = false;
    for (idx_t i = 0; i < entry.length; ++i) {
        const idx_t at = values.unified.sel->get_index(entry.offset + i);
        if (is_list(child.type)) {
            has_null = put_values_binary(out, child, values, at) || has_null;
        } else {
            has_null = has_null || !values.unified.validity.RowIsValid(at);
            child.put(out, values, entry.offset + i);
        }
    }
    return has_null;
}

}  // namespace

list_entry_t list_entry(const ColumnEncoder& column, const Cells& cells, idx_t index) {
    if (column.type.id() == LogicalTypeId::ARRAY) {
        const idx_t size = duckdb::ArrayType::GetSize(column.type);
        return {index * size, size};
    }
    return reinterpret_cast<const list_entry_t*>(cells.unified.data)[index];
}

void put_array_text(Buffer& out, const ColumnEncoder& column, const Cells& cells, idx_t index) {
    if (dimensions(column, cells, index).empty()) return out.put("{}");
    put_values_text(out, column, cells, index);
}

void put_array_binary(Buffer& out, const ColumnEncoder& column, const Cells& cells, idx_t index) {
    const std::vector<idx_t> lengths = dimensions(column, cells, index);
    const ColumnEncoder* element = &column;
    while (is_list(element->type)) element = &element->children[0];
    out.put_i32(static_cast<std::int32_t>(lengths.size()));
    const std::size_t flags_at = out.size();
    out.put_i32(0);
    out.put_i32(static_cast<std::int32_t>(element->oid));
    for (const idx_t length : lengths) {
        out.put_i32(static_cast<std::int32_t>(length));
        out.put_i32(1);  // lower bound
    }
    if (!lengths.empty() && put_values_binary(out, column, cells, index)) out.set_i32(flags_at, 1);
}

}  // namespace boathouse::engine
