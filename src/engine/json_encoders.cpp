#include "engine/value_encoders.hpp"
#include "engine/wire_types.hpp"

namespace boathouse::engine {

using duckdb::idx_t;
using duckdb::LogicalTypeId;
using pgwire::Buffer;

namespace {

void put_json_string(Buffer& out, std::string_view value) {
    static constexpr char kHex[] = "0123456789abcdef";
    out.put_byte('"');
    for (const char byte : value) {
        switch (byte) {
            case '"':
                out.put("\\\"");
                break;
            case '\\':
                out.put("\\\\");
                break;
            case '\n':
                out.put("\\n");
                break;
            case '\r':
                out.put("\\r");
                break;
            case '\t':
                out.put("\\t");
                break;
            default:
                if (static_cast<unsigned char>(byte) >= 0x20) {
                    out.put_byte(byte);
                } else {
                    out.put("\\u00");
                    out.put_byte(kHex[static_cast<unsigned char>(byte) >> 4]);
                    out.put_byte(kHex[static_cast<unsigned char>(byte) & 15]);
                }
        }
    }
    out.put_byte('"');
}

// JSON knows no NaN and no infinity: those go as strings.
bool is_json_number(const duckdb::LogicalType& type, std::string_view text) {
    if (!type.IsNumeric()) return false;
    return !text.ends_with("NaN") && !text.ends_with("Infinity");
}

void put_scalar(Buffer& out, const ColumnEncoder& column, const Cells& cells, idx_t index) {
    if (column.type.id() == LogicalTypeId::BOOLEAN) {
        return out.put(reinterpret_cast<const bool*>(cells.unified.data)[index] ? "true" : "false");
    }
    Buffer value;
    column.put_value(value, column, cells, index);
    const bool raw = is_json_number(column.type, value.view()) || column.type.IsJSONType() ||
                     column.type.id() == LogicalTypeId::VARIANT;  // which is read as JSON
    raw ? out.put(value.view()) : put_json_string(out, value.view());
}

void put_value_at(Buffer& out, const ColumnEncoder& column, const Cells& cells, idx_t row) {
    const idx_t index = cells.unified.sel->get_index(row);
    if (!cells.unified.validity.RowIsValid(index)) return out.put("null");
    switch (column.type.id()) {
        case LogicalTypeId::LIST:
        case LogicalTypeId::ARRAY: {
            const duckdb::list_entry_t entry = list_entry(column, cells, index);
            out.put_byte('[');
            for (idx_t i = 0; i < entry.length; ++i) {
                if (i > 0) out.put_byte(',');
                put_value_at(out, column.children[0], cells.children[0], entry.offset + i);
            }
            return out.put_byte(']');
        }
        case LogicalTypeId::STRUCT:
        case LogicalTypeId::MAP:
        case LogicalTypeId::UNION:
            return put_json(out, column, cells, index);
        default:
            return put_scalar(out, column, cells, index);
    }
}

void put_struct(Buffer& out, const ColumnEncoder& column, const Cells& cells, idx_t index) {
    const auto& fields = duckdb::StructType::GetChildTypes(column.type);
    out.put_byte('{');
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (i > 0) out.put_byte(',');
        // A row's fields have no names of their own; PostgreSQL calls them so.
        put_json_string(out, fields[i].first.empty() ? "f" + std::to_string(i + 1) : fields[i].first);
        out.put_byte(':');
        put_value_at(out, column.children[i], cells.children[i], index);
    }
    out.put_byte('}');
}

// A map's keys become strings, whatever they are.
void put_map(Buffer& out, const ColumnEncoder& column, const Cells& cells, idx_t index) {
    const duckdb::list_entry_t entry = list_entry(column, cells, index);
    const ColumnEncoder& pair = column.children[0];
    const Cells& pairs = cells.children[0];
    Buffer key;
    out.put_byte('{');
    for (idx_t i = 0; i < entry.length; ++i) {
        if (i > 0) out.put_byte(',');
        const idx_t at = pairs.unified.sel->get_index(entry.offset + i);
        key.clear();
        put_value_at(key, pair.children[0], pairs.children[0], at);
        key.view().starts_with('"') ? out.put(key.view()) : put_json_string(out, key.view());
        out.put_byte(':');
        put_value_at(out, pair.children[1], pairs.children[1], at);
    }
    out.put_byte('}');
}

}  // namespace

void put_json(Buffer& out, const ColumnEncoder& column, const Cells& cells, idx_t index) {
    switch (column.type.id()) {
        case LogicalTypeId::MAP:
            return put_map(out, column, cells, index);
        case LogicalTypeId::UNION: {
            // The first child is the tag that says which of the others holds the value; {"tag":value}, as DuckDB's own
            // cast to JSON and back has it.
            const Cells& tags = cells.children[0];
            const idx_t tag =
                reinterpret_cast<const std::uint8_t*>(tags.unified.data)[tags.unified.sel->get_index(index)];
            out.put_byte('{');
            put_json_string(out, duckdb::StructType::GetChildName(column.type, tag + 1));
            out.put_byte(':');
            put_value_at(out, column.children[tag + 1], cells.children[tag + 1], index);
            return out.put_byte('}');
        }
        default:
            return put_struct(out, column, cells, index);
    }
}

}  // namespace boathouse::engine
