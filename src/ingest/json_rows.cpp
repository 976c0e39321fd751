#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>

#include "ingest/body_rows.hpp"

namespace boathouse::ingest {

namespace {

namespace json = boost::json;
using boost::system::error_code;
using engine::QueryError;
using engine::TextCell;

constexpr std::size_t kDepthMax = 64;
constexpr std::size_t kColumnsMax = 1'600;  // PostgreSQL's

// What the parser calls: puts the members of each object at `row_depth` into a row, deeper values as JSON text.
class RowHandler {
  public:
    static constexpr std::size_t max_object_size = std::size_t(-1);
    static constexpr std::size_t max_array_size = std::size_t(-1);
    static constexpr std::size_t max_key_size = std::size_t(-1);
    static constexpr std::size_t max_string_size = std::size_t(-1);

    RowHandler(engine::TextRows& rows, std::size_t row_depth) : rows_(rows), row_depth_(row_depth) {}

    // The next row's place, for NDJSON; an array counts by itself.
    void set_place(std::uint64_t place) { place_ = place - 1; }
    // Takes back what a row has put that turned out to be none.
    void drop_from(std::size_t rows);
    const std::string& refusal() const { return refusal_; }
    void forget_refusal() {
        refusal_.clear();
        depth_ = 0;
        token_.clear();
    }

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code& error);
    bool on_object_end(std::size_t, error_code&);
    bool on_array_begin(error_code& error);
    bool on_array_end(std::size_t, error_code&);
    bool on_key_part(json::string_view part, std::size_t, error_code&) { return gather(part); }
    bool on_key(json::string_view part, std::size_t, error_code& error);
    bool on_string_part(json::string_view part, std::size_t, error_code&) { return gather(part); }
    bool on_string(json::string_view part, std::size_t, error_code& error);
    bool on_number_part(json::string_view part, error_code&) { return gather(part); }
    bool on_int64(std::int64_t, json::string_view part, error_code& error) { return put_literal(part, error); }
    bool on_uint64(std::uint64_t, json::string_view part, error_code& error) { return put_literal(part, error); }
    bool on_double(double, json::string_view part, error_code& error) { return put_literal(part, error); }
    bool on_bool(bool value, error_code& error) { return put_literal(value ? "true" : "false", error); }
    bool on_null(error_code& error);
    bool on_comment_part(json::string_view, error_code&) { return true; }
    bool on_comment(json::string_view, error_code&) { return true; }

  private:
    bool gather(json::string_view part) {
        token_.append(part.data(), part.size());
        return true;
    }
    bool refuse(const char* why, error_code& error);
    bool put_literal(json::string_view part, error_code& error);
    // Before a value: false if none may stand here.
    bool begin_value(error_code& error);
    void put(TextCell::Kind kind, std::string_view text);
    bool choose_column(std::string_view name, error_code& error);
    bool in_value() const { return depth_ > row_depth_; }
    void close(char bracket);

    engine::TextRows& rows_;
    const std::size_t row_depth_;
    std::uint64_t place_ = 0;
    std::size_t depth_ = 0;  // of open objects and arrays
    std::string token_;      // of which parts have come
    std::size_t column_ = 0;
    std::size_t value_at_ = 0;  // of rows_.text: where a nested value begins
    bool first_ = true;         // in the innermost object or array of a nested value
    bool after_key_ = false;
    std::string refusal_;
};

bool RowHandler::refuse(const char* why, error_code& error) {
    refusal_ = why;
    error = json::make_error_code(json::error::syntax);
    return false;
}

void RowHandler::put(TextCell::Kind kind, std::string_view text) {
    TextCell& cell = rows_.columns[column_].cells.back();
    cell.at = rows_.text.size();
    cell.size = static_cast<std::uint32_t>(text.size());
    cell.kind = kind;
    rows_.text.append(text);
}

bool RowHandler::begin_value(error_code& error) {
    if (depth_ < row_depth_ || depth_ == 0) return refuse("a row is a JSON object", error);
    if (!in_value()) return true;
    if (!first_ && !after_key_) rows_.text += ',';
    first_ = false;
    after_key_ = false;
    return true;
}

bool RowHandler::put_literal(json::string_view part, error_code& error) {
    gather(part);
    if (!begin_value(error)) return false;
    if (in_value()) {
        rows_.text += token_;
    } else {
        put(TextCell::Kind::json, token_);
    }
    token_.clear();
    return true;
}

bool RowHandler::on_null(error_code& error) {
    if (!begin_value(error)) return false;
    if (in_value()) {
        rows_.text += "null";
    } else {
        put(TextCell::Kind::null, {});
    }
    return true;
}

bool RowHandler::on_string(json::string_view part, std::size_t, error_code& error) {
    gather(part);
    if (!begin_value(error)) return false;
    // PostgreSQL's text, and with it the wire protocol, has no room for it.
    if (token_.find('\0') != std::string::npos) return refuse("a string holds a zero byte", error);
    if (in_value()) {
        rows_.text += json::serialize(json::string_view(token_));
    } else {
        put(TextCell::Kind::text, token_);
    }
    token_.clear();
    return true;
}

bool RowHandler::choose_column(std::string_view name, error_code& error) {
    const std::size_t row = rows_.places.size() - 1;
    std::size_t found = column_ + 1 < rows_.columns.size() ? column_ + 1 : 0;  // the order of the row before, mostly
    if (found >= rows_.columns.size() || rows_.columns[found].name != name) {
        const auto entry = std::find_if(rows_.columns.begin(), rows_.columns.end(),
                                        [&](const engine::TextColumn& column) { return column.name == name; });
        found = static_cast<std::size_t>(entry - rows_.columns.begin());
    }
    if (found == rows_.columns.size()) {
        if (found == kColumnsMax) return refuse("the rows name more than 1600 columns", error);
        rows_.columns.push_back({std::string(name), {}});
    }
    column_ = found;
    rows_.columns[found].cells.resize(row + 1);
    return true;
}

bool RowHandler::on_key(json::string_view part, std::size_t, error_code& error) {
    gather(part);
    if (in_value()) {
        if (!first_) rows_.text += ',';
        rows_.text += json::serialize(json::string_view(token_)) + ":";
        first_ = false;
        after_key_ = true;
    } else if (token_.empty()) {
        return refuse("a column has no name", error);
    } else if (!choose_column(token_, error)) {
        return false;
    }
    token_.clear();
    return true;
}

bool RowHandler::on_object_begin(error_code& error) {
    if (depth_ + 1 == row_depth_) {
        rows_.places.push_back(++place_);
        column_ = rows_.columns.size();
        ++depth_;
        return true;
    }
    if (!begin_value(error)) return false;
    if (!in_value()) value_at_ = rows_.text.size();
    rows_.text += '{';
    first_ = true;
    ++depth_;
    return true;
}

bool RowHandler::on_array_begin(error_code& error) {
    if (depth_ + 1 < row_depth_) {
        ++depth_;
        return true;
    }
    if (depth_ < row_depth_) return refuse("a row is a JSON object", error);
    if (!begin_value(error)) return false;
    if (!in_value()) value_at_ = rows_.text.size();
    rows_.text += '[';
    first_ = true;
    ++depth_;
    return true;
}

void RowHandler::close(char bracket) {
    --depth_;
    if (depth_ < row_depth_) return;
    rows_.text += bracket;
    first_ = false;
    after_key_ = false;
    if (in_value()) return;
    TextCell& cell = rows_.columns[column_].cells.back();
    cell = {value_at_, static_cast<std::uint32_t>(rows_.text.size() - value_at_), TextCell::Kind::json};
}

bool RowHandler::on_object_end(std::size_t, error_code&) {
    close('}');
    return true;
}

bool RowHandler::on_array_end(std::size_t, error_code&) {
    close(']');
    return true;
}

void RowHandler::drop_from(std::size_t rows) {
    rows_.places.resize(rows);
    for (engine::TextColumn& column : rows_.columns) column.cells.resize(std::min(column.cells.size(), rows));
}

json::parse_options options() {
    json::parse_options options;
    options.max_depth = kDepthMax;
    return options;
}

using Parser = json::basic_parser<RowHandler>;

std::string why(const RowHandler& handler, const error_code& error) {
    return handler.refusal().empty() ? error.message() : handler.refusal();
}

bool is_blank(std::string_view line) {
    return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

// Where `at` stands, for people.
std::string place_of(std::string_view body, std::size_t at) {
    const std::string_view before = body.substr(0, at);
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const std::size_t begin = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    return "line " + std::to_string(line) + ", byte " + std::to_string(at - begin + 1);
}

}  // namespace

void BodyRows::fault(std::uint64_t place, engine::QueryError error) {
    if (faults.size() < engine::kFaultsMax) faults.push_back({place, "", std::move(error)});
    ++faulty;
}

BodyRows read_ndjson(std::string_view body) {
    BodyRows read;
    read.rows.is_json = true;
    read.rows.text.reserve(body.size());
    Parser parser(options(), read.rows, 1);
    std::uint64_t line = 0;
    for (std::size_t at = 0; at < body.size();) {
        const std::size_t end = std::min(body.find('\n', at), body.size());
        const std::string_view text = body.substr(at, end - at);
        at = end + 1;
        ++line;
        if (is_blank(text)) continue;
        const std::size_t rows = read.rows.places.size();
        parser.reset();
        parser.handler().forget_refusal();
        parser.handler().set_place(line);
        error_code error;
        const std::size_t taken = parser.write_some(false, text.data(), text.size(), error);
        if (!error && !is_blank(text.substr(taken))) error = json::make_error_code(json::error::extra_data);
        if (!error) continue;
        parser.handler().drop_from(rows);
        read.fault(
            line, {"22032", "line " + std::to_string(line) + " is not a JSON object: " + why(parser.handler(), error)});
    }
    return read;
}

engine::Outcome<BodyRows> read_json(std::string_view body) {
    BodyRows read;
    read.rows.is_json = true;
    read.rows.text.reserve(body.size());
    Parser parser(options(), read.rows, 2);
    error_code error;
    const std::size_t taken = parser.write_some(false, body.data(), body.size(), error);
    if (!error && body.find_first_not_of(" \t\r\n", taken) != std::string_view::npos)
        error = json::make_error_code(json::error::extra_data);
    if (!error) return read;
    QueryError failure{"22032", "the body is not a JSON array of objects: " + why(parser.handler(), error) + ", at " +
                                    place_of(body, taken)};
    failure.hint = "One object a line is application/x-ndjson.";
    return failure;
}

}  // namespace boathouse::ingest
