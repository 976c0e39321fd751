#include "engine/postgres_casts.hpp"

#include <duckdb/common/exception/conversion_exception.hpp>
#include <duckdb/common/vector_operations/unary_executor.hpp>
#include <duckdb/function/cast/cast_function_set.hpp>
#include <duckdb/function/cast/default_casts.hpp>
#include <optional>

#include "engine/parameter_arrays.hpp"

namespace boathouse::engine {

using duckdb::idx_t;
using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using duckdb::string_t;
using duckdb::Value;
using duckdb::Vector;

namespace {

// DuckDB's own cast, which reads what a text is translated to.
struct TranslatedCast : duckdb::BoundCastData {
    explicit TranslatedCast(duckdb::BoundCastInfo own_cast) : own(std::move(own_cast)) {}
    duckdb::unique_ptr<duckdb::BoundCastData> Copy() const override {
        return duckdb::make_uniq<TranslatedCast>(own.Copy());
    }
    duckdb::BoundCastInfo own;
};

// Gives DuckDB's spelling of a text that is in PostgreSQL's; nullopt if it is not.
using Translate = std::optional<std::string> (*)(std::string_view text);

template <Translate translate>
bool cast_translated(Vector& source, Vector& result, idx_t count, duckdb::CastParameters& parameters) {
    const TranslatedCast& data = parameters.cast_data->Cast<TranslatedCast>();
    Vector translated(LogicalType::VARCHAR, count);
    duckdb::UnaryExecutor::Execute<string_t, string_t>(source, translated, count, [&](string_t text) {
        const auto other = translate({text.GetData(), text.GetSize()});
        return other ? duckdb::StringVector::AddString(translated, *other) : text;
    });
    duckdb::CastParameters own(parameters, data.own.cast_data.get(), parameters.local_state);
    return data.own.function(translated, result, count, own);
}

duckdb::unique_ptr<duckdb::FunctionLocalState> init_own(duckdb::CastLocalStateParameters& parameters) {
    const TranslatedCast& data = parameters.cast_data->Cast<TranslatedCast>();
    if (!data.own.init_local_state) return nullptr;
    duckdb::CastLocalStateParameters own(parameters, data.own.cast_data.get());
    return data.own.init_local_state(own);
}

template <Translate translate>
duckdb::BoundCastInfo bind_translated(duckdb::BindCastInput& input, const LogicalType& source,
                                      const LogicalType& target) {
    auto own = duckdb::DefaultCasts::GetDefaultCastFunction(input, source, target);
    return {cast_translated<translate>, duckdb::make_uniq<TranslatedCast>(std::move(own)), init_own};
}

// A list as DuckDB's cast from text reads it: ["a", NULL, ["b"]].
void put_list(std::string& out, const Value& value) {
    if (value.IsNull()) {
        out += "NULL";
    } else if (value.type().id() == LogicalTypeId::LIST) {
        out += '[';
        bool first = true;
        for (const Value& child : duckdb::ListValue::GetChildren(value)) {
            if (!first) out += ", ";
            first = false;
            put_list(out, child);
        }
        out += ']';
    } else {
        out += '"';
        for (const char byte : duckdb::StringValue::Get(value)) {
            if (byte == '"' || byte == '\\') out += '\\';
            out += byte;
        }
        out += '"';
    }
}

Value keep_text(std::uint32_t, std::string_view text) {
    return Value(std::string(text));
}

std::optional<std::string> translate_array(std::string_view text) {
    const std::size_t start = text.find_first_not_of(" \t\n\r\v\f");
    if (start == std::string_view::npos || text[start] != '{') return std::nullopt;
    try {
        std::string list;
        put_list(list, decode_text_array(0, LogicalType::VARCHAR, text, keep_text));
        return list;
    } catch (const duckdb::ConversionException&) {
        return std::nullopt;  // DuckDB's cast then says what it thinks of the text, or TRY_CAST gives NULL
    }
}

bool is_hexadecimal(std::string_view digits) {
    return digits.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

// DuckDB marks each byte with its own \x.
std::optional<std::string> translate_bytes(std::string_view text) {
    if (!text.starts_with("\\x") || text.size() % 2 != 0 || !is_hexadecimal(text.substr(2))) return std::nullopt;
    std::string bytes;
    for (std::size_t at = 2; at < text.size(); at += 2) bytes.append("\\x").append(text.substr(at, 2));
    return bytes;
}

// PostgreSQL takes any beginning of these words that is one's alone; DuckDB knows neither on nor off.
// Source: https://www.postgresql.org/docs/15/datatype-boolean.html
std::optional<std::string> translate_boolean(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t\n\r\v\f");
    if (begin == std::string_view::npos) return std::nullopt;
    const std::size_t end = text.find_last_not_of(" \t\n\r\v\f") + 1;
    const std::string word = duckdb::StringUtil::Lower(std::string(text.substr(begin, end - begin)));
    constexpr std::pair<std::string_view, const char*> kWords[] = {
        {"true", "true"}, {"false", "false"}, {"yes", "true"}, {"no", "false"}, {"on", "true"}, {"off", "false"}};
    if (word == "o") return std::nullopt;  // on, or off
    for (const auto& [whole, value] : kWords) {
        if (whole.starts_with(word)) return value;
    }
    return std::nullopt;
}

// 20240105
std::optional<std::string> translate_date(std::string_view text) {
    if (text.size() != 8 || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    std::string date(text.substr(0, 4));
    return date.append("-").append(text.substr(4, 2)).append("-").append(text.substr(6));
}

}  // namespace

void register_postgres_casts(duckdb::DatabaseInstance& database) {
    auto& casts = duckdb::CastFunctionSet::Get(database);
    casts.RegisterCastFunction(LogicalType::VARCHAR, LogicalType::LIST(LogicalType::ANY),
                               bind_translated<translate_array>);
    casts.RegisterCastFunction(LogicalType::VARCHAR, LogicalType::BLOB, bind_translated<translate_bytes>);
    casts.RegisterCastFunction(LogicalType::VARCHAR, LogicalType::BOOLEAN, bind_translated<translate_boolean>);
    casts.RegisterCastFunction(LogicalType::VARCHAR, LogicalType::DATE, bind_translated<translate_date>);
}

}  // namespace boathouse::engine
