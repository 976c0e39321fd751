#include "engine/parameter_arrays.hpp"

#include <duckdb/common/exception/conversion_exception.hpp>

#include "pgwire/frontend.hpp"

namespace boathouse::engine {

using duckdb::LogicalType;
using duckdb::Value;

namespace {

constexpr int kDimensionsMax = 6;  // PostgreSQL's MAXDIM

[[noreturn]] void malformed() {
    throw duckdb::ConversionException("malformed array in a parameter");
}

// A list of lists … of `value_type`, `depth` of them.
LogicalType nested(LogicalType value_type, int depth) {
    for (; depth > 0; --depth) value_type = LogicalType::LIST(value_type);
    return value_type;
}

// array_in's grammar, one character after the other.
class TextArray {
  public:
    TextArray(std::uint32_t element, const LogicalType& value_type, std::string_view text, DecodeElement decode)
        : element_(element), value_type_(value_type), text_(text), decode_(decode) {}

    Value parse() {
        skip_spaces();
        Value list = parse_list(1);
        skip_spaces();
        if (at_ != text_.size()) malformed();
        return list;
    }

  private:
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    char take() {
        if (at_ == text_.size()) malformed();
        return text_[at_++];
    }
    static bool is_space(char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }
    void skip_spaces() {
        while (is_space(peek())) ++at_;
    }

    Value parse_list(int depth) {
        if (depth > kDimensionsMax || take() != '{') malformed();
        duckdb::vector<Value> values;
        skip_spaces();
        if (peek() == '}') {
            ++at_;
            return Value::LIST(value_type_, std::move(values));
        }
        while (true) {
            skip_spaces();
            values.push_back(peek() == '{' ? parse_list(depth + 1) : parse_value());
            if (values.back().type() != values.front().type()) malformed();
            skip_spaces();
            const char next = take();
            if (next == '}') break;
            if (next != ',') malformed();
        }
        LogicalType type = values.front().type();
        return Value::LIST(type, std::move(values));
    }

    Value parse_value() {
        if (peek() == '"') return decode_(element_, take_quoted());
        const std::string value = take_plain();
        if (duckdb::StringUtil::CIEquals(value, "NULL")) return Value(value_type_);
        return decode_(element_, value);
    }

    std::string take_quoted() {
        std::string value;
        ++at_;
        for (char byte = take(); byte != '"'; byte = take()) value += byte == '\\' ? take() : byte;
        return value;
    }

    std::string take_plain() {
        std::string value;
        std::size_t keep = 0;  // spaces at the end are not the value's, but escaped ones are
        while (at_ < text_.size() && peek() != ',' && peek() != '}') {
            if (peek() == '{' || peek() == '"') malformed();
            const bool escaped = peek() == '\\';
            if (escaped) ++at_;
            value += take();
            if (escaped || !is_space(value.back())) keep = value.size();
        }
        value.resize(keep);
        if (value.empty()) malformed();
        return value;
    }

    const std::uint32_t element_;
    const LogicalType& value_type_;
    const std::string_view text_;
    const DecodeElement decode_;
    std::size_t at_ = 0;
};

// array_recv's values, the last dimension fastest.
class BinaryArray {
  public:
    BinaryArray(std::uint32_t element, const LogicalType& value_type, std::string_view bytes, DecodeElement decode)
        : element_(element), value_type_(value_type), bytes_(bytes), reader_(bytes), decode_(decode) {}

    Value parse() {
        const std::int32_t dimensions = reader_.i32();
        reader_.i32();  // whether there are NULLs: the values say so themselves
        const auto sent = static_cast<std::uint32_t>(reader_.i32());
        if (dimensions < 0 || dimensions > kDimensionsMax || sent != element_) malformed();
        std::size_t count = 1;
        for (std::int32_t i = 0; i < dimensions; ++i) {
            const std::int32_t length = reader_.i32();
            reader_.i32();  // lower bound
            if (length < 0) malformed();
            lengths_.push_back(length);
            count *= static_cast<std::size_t>(length);
            if (count > bytes_.size()) malformed();  // each value takes four bytes at least
        }
        Value list = dimensions == 0 || count == 0 ? Value::LIST(value_type_, duckdb::vector<Value>()) : decode_list(0);
        if (!reader_.complete()) malformed();
        return list;
    }

  private:
    Value decode_list(std::size_t dimension) {
        const bool innermost = dimension + 1 == lengths_.size();
        duckdb::vector<Value> values;
        for (std::int32_t i = 0; i < lengths_[dimension] && reader_.ok(); ++i) {
            values.push_back(innermost ? decode_value() : decode_list(dimension + 1));
        }
        return Value::LIST(nested(value_type_, static_cast<int>(lengths_.size() - dimension) - 1), std::move(values));
    }

    Value decode_value() {
        const std::int32_t length = reader_.i32();
        if (length < -1) malformed();
        if (length == -1) return Value(value_type_);
        return decode_(element_, reader_.bytes(static_cast<std::size_t>(length)));
    }

    const std::uint32_t element_;
    const LogicalType& value_type_;
    const std::string_view bytes_;
    pgwire::Reader reader_;
    const DecodeElement decode_;
    std::vector<std::int32_t> lengths_;
};

}  // namespace

Value decode_text_array(std::uint32_t element, const LogicalType& value_type, std::string_view text,
                        DecodeElement decode) {
    return TextArray(element, value_type, text, decode).parse();
}

Value decode_binary_array(std::uint32_t element, const LogicalType& value_type, std::string_view bytes,
                          DecodeElement decode) {
    return BinaryArray(element, value_type, bytes, decode).parse();
}

}  // namespace boathouse::engine
