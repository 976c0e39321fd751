#include "engine/row_encoder.hpp"

#include <algorithm>
#include <cctype>

#include "engine/fixed_encoders.hpp"
#include "engine/value_encoders.hpp"
#include "engine/wire_types.hpp"
#include "pgwire/backend.hpp"
#include "pgwire/fixed_values.hpp"
#include "pgwire/frontend.hpp"

namespace boathouse::engine {

using duckdb::idx_t;
using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using pgwire::Buffer;

namespace {

// What a vector is cast to, whole, before its values are read: VARIANT, GEOMETRY and BIGNUM have no storage that an
// encoder could read, at whatever depth they stand. The same type where nothing is to be done.
LogicalType readable(const LogicalType& type) {
    switch (type.id()) {
        case LogicalTypeId::VARIANT:
            return LogicalType::JSON();
        case LogicalTypeId::GEOMETRY:
        case LogicalTypeId::BIGNUM:
            return LogicalType::VARCHAR;
        case LogicalTypeId::LIST:
            return LogicalType::LIST(readable(duckdb::ListType::GetChildType(type)));
        case LogicalTypeId::ARRAY:
            return LogicalType::ARRAY(readable(duckdb::ArrayType::GetChildType(type)),
                                      duckdb::ArrayType::GetSize(type));
        case LogicalTypeId::MAP:
            return LogicalType::MAP(readable(duckdb::MapType::KeyType(type)),
                                    readable(duckdb::MapType::ValueType(type)));
        case LogicalTypeId::STRUCT:
        case LogicalTypeId::UNION: {
            const bool is_union = type.id() == LogicalTypeId::UNION;
            auto fields = is_union ? duckdb::UnionType::CopyMemberTypes(type) : duckdb::StructType::GetChildTypes(type);
            for (auto& field : fields) field.second = readable(field.second);
            return is_union ? LogicalType::UNION(std::move(fields)) : LogicalType::STRUCT(std::move(fields));
        }
        default:
            return type;
    }
}

// DuckDB casts a VARIANT that is NULL to the JSON null; to SQL it is a NULL.
void keep_nulls(duckdb::Vector& source, duckdb::Vector& cast, idx_t count) {
    duckdb::UnifiedVectorFormat format;
    source.ToUnifiedFormat(count, format);
    cast.Flatten(count);
    for (idx_t i = 0; i < count; ++i) {
        if (!format.validity.RowIsValid(format.sel->get_index(i))) duckdb::FlatVector::SetNull(cast, i, true);
    }
}

bool is_nested(const LogicalType& type) {
    const duckdb::PhysicalType physical = type.InternalType();
    return physical == duckdb::PhysicalType::LIST || physical == duckdb::PhysicalType::ARRAY ||
           physical == duckdb::PhysicalType::STRUCT;
}

// Signature, flags, length of the extension.
void put_copy_header(Buffer& out) {
    out.put(pgwire::kCopyBinarySignature);
    out.put_i32(0);
    out.put_i32(0);
}

}  // namespace

void put_copy_trailer(Buffer& out, bool first) {
    const pgwire::Message message(out, 'd');
    if (first) put_copy_header(out);
    out.put_i16(-1);
}

ColumnEncoder::ColumnEncoder(const LogicalType& column_type, Format column_format, const pgwire::Zone& column_zone)
    : type(column_type), format(column_format), zone(column_zone), oid(wire_type(column_type).oid) {
    if (type.id() == LogicalTypeId::DECIMAL) scale = duckdb::DecimalType::GetScale(type);
    // Inside JSON, values are text.
    const Format child_format = goes_as_json(type) ? Format::text : format;
    if (type.id() == LogicalTypeId::LIST || type.id() == LogicalTypeId::MAP) {
        children.emplace_back(duckdb::ListType::GetChildType(type), child_format, zone);
    } else if (type.id() == LogicalTypeId::ARRAY) {
        children.emplace_back(duckdb::ArrayType::GetChildType(type), child_format, zone);
    } else if (type.id() == LogicalTypeId::STRUCT || type.id() == LogicalTypeId::UNION) {
        for (const auto& field : duckdb::StructType::GetChildTypes(type)) {
            children.emplace_back(field.second, child_format, zone);
        }
    }
    put_value = choose_encoder(type, format == Format::binary);
    write_fixed = choose_fixed_encoder(type, format == Format::binary);
    is_string = type.id() == LogicalTypeId::VARCHAR || (type.id() == LogicalTypeId::BLOB && format == Format::binary);
}

void ColumnEncoder::put(Buffer& out, const Cells& cells, idx_t row) const {
    constexpr std::size_t kLengthBytes = 4;
    const idx_t index = cells.unified.sel->get_index(row);
    if (!cells.unified.validity.RowIsValid(index)) {
        out.put_i32(-1);
        return;
    }
    if (write_fixed) {
        char* const length = out.room(kLengthBytes + pgwire::fixed::kFixedBytesMax);
        if (const char* end = write_fixed(length + kLengthBytes, *this, cells.unified.data, index)) {
            const auto size = static_cast<std::size_t>(end - length);
            pgwire::fixed::network(length, static_cast<std::int32_t>(size - kLengthBytes));
            return out.advance(size);
        }
    }
    if (is_string) {
        const duckdb::string_t& value = reinterpret_cast<const duckdb::string_t*>(cells.unified.data)[index];
        const std::size_t size = value.GetSize();
        char* const length = out.room(kLengthBytes + size);
        pgwire::fixed::network(length, static_cast<std::int32_t>(size));
        std::memcpy(length + kLengthBytes, value.GetData(), size);
        return out.advance(kLengthBytes + size);
    }
    const std::size_t length_at = out.size();
    out.put_i32(0);
    put_value(out, *this, cells, index);
    out.set_i32(length_at, static_cast<std::int32_t>(out.size() - length_at - kLengthBytes));
}

RowEncoder::RowEncoder(const duckdb::vector<LogicalType>& types, const std::vector<std::int16_t>& formats,
                       const pgwire::Zone& zone, duckdb::ClientContext& context)
    : context_(context) {
    set_formats(types, formats, zone);
}

void RowEncoder::set_formats(const duckdb::vector<LogicalType>& types, const std::vector<std::int16_t>& formats,
                             const pgwire::Zone& zone) {
    columns_.clear();
    columns_.reserve(types.size());
    for (std::size_t i = 0; i < types.size(); ++i) {
        const bool binary = pgwire::format_of(formats, i) == 1;
        columns_.emplace_back(types[i], binary ? ColumnEncoder::Format::binary : ColumnEncoder::Format::text, zone);
        readable_.push_back(readable(types[i]));
    }
}

void RowEncoder::load(duckdb::unique_ptr<duckdb::DataChunk> chunk) {
    chunk_ = std::move(chunk);
    row_ = 0;
    cells_.clear();
    casts_.clear();
    if (!chunk_) return;
    cells_.resize(columns_.size());
    casts_.reserve(columns_.size());
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        duckdb::Vector* source = &chunk_->data[i];
        if (readable_[i] != source->GetType()) {
            casts_.emplace_back(readable_[i], chunk_->size());
            duckdb::VectorOperations::Cast(context_, *source, casts_.back(), chunk_->size());
            if (source->GetType().id() == LogicalTypeId::VARIANT) keep_nulls(*source, casts_.back(), chunk_->size());
            source = &casts_.back();
        }
        if (is_nested(source->GetType())) source->Flatten(chunk_->size());
        duckdb::Vector::RecursiveToUnifiedFormat(*source, chunk_->size(), cells_[i]);
    }
}

void RowEncoder::put_row(Buffer& out) {
    pgwire::Message message(out, 'D');
    out.put_i16(static_cast<std::int16_t>(columns_.size()));
    for (std::size_t i = 0; i < columns_.size(); ++i) columns_[i].put(out, cells_[i], row_);
    ++row_;
}

void RowEncoder::put_copy_tuple(Buffer& out, bool first) {
    pgwire::Message message(out, 'd');
    if (first) put_copy_header(out);
    out.put_i16(static_cast<std::int16_t>(columns_.size()));
    for (std::size_t i = 0; i < columns_.size(); ++i) columns_[i].put(out, cells_[i], row_);
    ++row_;
}

void RowEncoder::put_copy_field(Buffer& out, const pgwire::CopyFormat& format, bool plain_fixed, std::size_t at) {
    const ColumnEncoder& column = columns_[at];
    const auto& unified = cells_[at].unified;
    const idx_t index = unified.sel->get_index(row_);
    if (!unified.validity.RowIsValid(index)) return out.put(format.null_text);
    const pgwire::CopyValueOptions options{columns_.size() == 1, pgwire::copy_flag(format.force_quote, at)};
    if (column.write_fixed && plain_fixed && !options.quoted) {
        char* const begin = out.room(pgwire::fixed::kFixedBytesMax);
        if (const char* end = column.write_fixed(begin, column, unified.data, index))
            return out.advance(static_cast<std::size_t>(end - begin));
    }
    if (column.is_string) {
        const duckdb::string_t& value = reinterpret_cast<const duckdb::string_t*>(unified.data)[index];
        return pgwire::put_copy_value(out, {value.GetData(), value.GetSize()}, format, options);
    }
    scratch_.clear();
    column.put_value(scratch_, column, cells_[at], index);
    pgwire::put_copy_value(out, scratch_.view(), format, options);
}

void RowEncoder::put_copy_line(Buffer& out, const pgwire::CopyFormat& format, bool plain_fixed) {
    pgwire::Message message(out, 'd');
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        if (i > 0) out.put_byte(format.delimiter);
        put_copy_field(out, format, plain_fixed, i);
    }
    out.put_byte('\n');
    ++row_;
}

bool copy_takes_plain(const pgwire::CopyFormat& format) {
    const auto occurs = [](char byte) {
        return std::isalnum(static_cast<unsigned char>(byte)) != 0 || byte == '-' || byte == '+' || byte == '.' ||
               byte == ':' || byte == ' ';
    };
    if (!format.is_lines() || occurs(format.delimiter)) return false;
    if (format.is_csv() && (occurs(format.quote) || occurs(format.escape))) return false;
    // Nothing that is written so is empty; a NULL of letters or digits alone may be the same as a value.
    return format.null_text.empty() || !std::all_of(format.null_text.begin(), format.null_text.end(), occurs);
}

}  // namespace boathouse::engine
