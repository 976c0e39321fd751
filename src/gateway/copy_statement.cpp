// COPY's own syntax, by PostgreSQL's parser, and its options, by PostgreSQL's rules (ProcessCopyOptions of its copy.c).
// The query in COPY (query) TO and the condition of COPY FROM … WHERE may be DuckDB's: they are cut out of the text,
// and PostgreSQL's parser sees a stand-in for the query.
#include <pg_query.h>

#include <algorithm>
#include <boost/json.hpp>
#include <optional>
#include <set>

#include "gateway/script.hpp"
#include "gateway/statement.hpp"
#include "pgwire/encoding.hpp"

namespace boathouse::gateway {

namespace json = boost::json;
using pgwire::CopyHeader;
using pgwire::CopyKind;

namespace {

constexpr std::size_t npos = std::string_view::npos;

std::string text_of(const json::object& object, std::string_view key) {
    const json::value* value = object.if_contains(key);
    return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::string quoted(const std::string& name) {
    std::string result = "\"";
    for (const char byte : name) {
        if (byte == '"') result += '"';
        result += byte;
    }
    return result + '"';
}

std::string table_name(const json::object& relation) {
    std::string name;
    for (const char* part : {"catalogname", "schemaname", "relname"}) {
        std::string text = text_of(relation, part);
        if (text.empty()) continue;
        if (std::string_view(part) == "schemaname" && text == "public") text = "main";
        name += (name.empty() ? "" : ".") + quoted(text);
    }
    return name;
}

std::string column_list(const json::object& copy) {
    const json::value* list = copy.if_contains("attlist");
    if (!list) return {};
    std::string columns;
    for (const json::value& item : list->as_array()) {
        columns += (columns.empty() ? "" : ", ") + quoted(text_of(item.at("String").as_object(), "sval"));
    }
    return "(" + columns + ")";
}

// What ProcessCopyOptions gathers; an option that was not given is nullopt.
struct Options {
    bool from = false;
    engine::CopyOptions copy;
    std::optional<std::string> delimiter;
    std::optional<std::string> null_text;
    std::optional<std::string> quote;
    std::optional<std::string> escape;
    std::set<std::string> seen;
    std::optional<RefusedStatement> refused;

    void refuse(const char* sqlstate, const std::string& message) {
        if (!refused) refused = RefusedStatement{sqlstate, message};
    }
};

constexpr const char* kSyntax = "42601";
constexpr const char* kUnsupported = "0A000";
constexpr const char* kInvalid = "22023";

// An option's argument as text; nullopt if it has none.
std::optional<std::string> argument_of(const json::object& definition) {
    const json::value* argument = definition.if_contains("arg");
    if (!argument) return std::nullopt;
    const auto& [kind, value] = *argument->as_object().begin();
    if (kind == "Boolean") {
        const json::value* flag = value.as_object().if_contains("boolval");
        return flag && flag->as_bool() ? "true" : "false";
    }
    if (kind == "Integer") {
        const json::value* number = value.as_object().if_contains("ival");
        return number ? std::to_string(number->to_number<std::int64_t>()) : "0";
    }
    return text_of(value.as_object(), kind == "Float" ? "fval" : "sval");
}

engine::ForcedColumns columns_argument(Options& options, const std::string& name, const json::object& definition) {
    engine::ForcedColumns columns;
    const json::value* argument = definition.if_contains("arg");
    const json::object* node = argument ? &argument->as_object() : nullptr;
    if (node && node->contains("A_Star")) {
        columns.all = true;
    } else if (node && node->contains("List")) {
        for (const json::value& item : node->at("List").at("items").as_array())
            columns.names.push_back(text_of(item.at("String").as_object(), "sval"));
    } else {
        options.refuse(kInvalid, "argument to option \"" + name + "\" must be a list of column names");
    }
    return columns;
}

void set_format(Options& options, const std::string& value) {
    pgwire::CopyFormat& format = options.copy.format;
    if (value == "text") {
        format.kind = CopyKind::text;
    } else if (value == "csv") {
        format.kind = CopyKind::csv;
    } else if (value == "binary") {
        format.kind = CopyKind::binary;
    } else if (value == "parquet") {
        format.kind = CopyKind::parquet;
    } else {
        options.refuse(kInvalid, "COPY format \"" + value + "\" not recognized");
    }
}

void set_header(Options& options, const std::optional<std::string>& value) {
    std::string word = value.value_or("true");
    std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
    if (word == "match") {
        if (!options.from) options.refuse(kUnsupported, "cannot use \"match\" with HEADER in COPY TO");
        options.copy.format.header = CopyHeader::match;
    } else if (word == "true" || word == "on" || word == "1") {
        options.copy.format.header = CopyHeader::line;
    } else if (word != "false" && word != "off" && word != "0") {
        options.refuse(kSyntax, "header requires a Boolean value or \"match\"");
    }
}

void set_encoding(Options& options, const std::string& value) {
    const auto name = pgwire::iconv_name(value);
    if (!name) {
        options.refuse(kInvalid, "argument to option \"encoding\" must be a valid encoding name");
    } else {
        options.copy.format.encoding = *name;
    }
}

void apply(Options& options, const json::object& definition) {
    const std::string name = text_of(definition, "defname");
    const auto argument = argument_of(definition);
    const std::string value = argument.value_or("");
    if (!options.seen.insert(name).second) return options.refuse(kSyntax, "conflicting or redundant options");
    if (name == "format") {
        set_format(options, value);
    } else if (name == "delimiter") {
        options.delimiter = value;
    } else if (name == "null") {
        options.null_text = value;
    } else if (name == "quote") {
        options.quote = value;
    } else if (name == "escape") {
        options.escape = value;
    } else if (name == "header") {
        set_header(options, argument);
    } else if (name == "encoding") {
        set_encoding(options, value);
    } else if (name == "force_quote") {
        options.copy.force_quote = columns_argument(options, name, definition);
    } else if (name == "force_not_null") {
        options.copy.force_not_null = columns_argument(options, name, definition);
    } else if (name == "force_null") {
        options.copy.force_null = columns_argument(options, name, definition);
    } else if (name != "freeze") {
        options.refuse(kSyntax, "option \"" + name + "\" not recognized");
    }
}

bool is_line_end(char byte) {
    return byte == '\n' || byte == '\r';
}

void check_characters(Options& options) {
    const std::string& delimiter = *options.delimiter;
    const std::string& null_text = *options.null_text;
    if (delimiter.size() != 1)
        return options.refuse(kUnsupported, "COPY delimiter must be a single one-byte character");
    if (is_line_end(delimiter[0]))
        return options.refuse(kInvalid, "COPY delimiter cannot be newline or carriage return");
    if (std::any_of(null_text.begin(), null_text.end(), is_line_end))
        return options.refuse(kInvalid, "COPY null representation cannot use newline or carriage return");
    const bool csv = options.copy.format.is_csv();
    if (!csv && std::string_view("\\.abcdefghijklmnopqrstuvwxyz0123456789").find(delimiter[0]) != npos)
        return options.refuse(kInvalid, "COPY delimiter cannot be \"" + delimiter + "\"");
    if (!csv && options.quote) return options.refuse(kUnsupported, "COPY quote available only in CSV mode");
    if (csv && options.quote->size() != 1)
        return options.refuse(kUnsupported, "COPY quote must be a single one-byte character");
    if (csv && delimiter == *options.quote)
        return options.refuse(kInvalid, "COPY delimiter and quote must be different");
    if (!csv && options.escape) return options.refuse(kUnsupported, "COPY escape available only in CSV mode");
    if (csv && options.escape->size() != 1)
        return options.refuse(kUnsupported, "COPY escape must be a single one-byte character");
}

void check_forced(Options& options) {
    const auto check = [&](const char* name, const char* words, bool for_from) {
        if (!options.seen.contains(name)) return;
        if (!options.copy.format.is_csv())
            options.refuse(kUnsupported, std::string("COPY ") + words + " available only in CSV mode");
        if (options.from != for_from)
            options.refuse(kUnsupported,
                           std::string("COPY ") + words + " only available using COPY " + (for_from ? "FROM" : "TO"));
    };
    check("force_quote", "force quote", false);
    check("force_not_null", "force not null", true);
    check("force_null", "force null", true);
}

// Defaults, and what may not go together.
void complete(Options& options) {
    pgwire::CopyFormat& format = options.copy.format;
    const bool lines = format.is_lines();
    const std::string kind = format.kind == CopyKind::binary ? "BINARY" : "PARQUET";
    if (!lines && options.delimiter) options.refuse(kSyntax, "cannot specify DELIMITER in " + kind + " mode");
    if (!lines && options.null_text) options.refuse(kSyntax, "cannot specify NULL in " + kind + " mode");
    if (!lines && format.header != CopyHeader::none)
        options.refuse(kUnsupported, "cannot specify HEADER in " + kind + " mode");
    if (!options.delimiter) options.delimiter = format.is_csv() ? "," : "\t";
    if (!options.null_text) options.null_text = format.is_csv() ? "" : "\\N";
    if (format.is_csv() && !options.quote) options.quote = "\"";
    if (format.is_csv() && !options.escape) options.escape = options.quote;
    check_characters(options);
    check_forced(options);
    if (options.refused) return;
    if (options.null_text->find(*options.delimiter) != npos)
        return options.refuse(kUnsupported, "COPY delimiter must not appear in the NULL specification");
    if (format.is_csv() && options.null_text->find(*options.quote) != npos)
        return options.refuse(kUnsupported, "CSV quote character must not appear in the NULL specification");
    format.delimiter = (*options.delimiter)[0];
    format.null_text = *options.null_text;
    if (format.is_csv()) {
        format.quote = (*options.quote)[0];
        format.escape = (*options.escape)[0];
    }
}

Options options_of(const json::object& copy, bool from) {
    Options options;
    options.from = from;
    if (const json::value* list = copy.if_contains("options")) {
        for (const json::value& item : list->as_array()) apply(options, item.at("DefElem").as_object());
    }
    complete(options);
    return options;
}

struct FreeParse {
    PgQueryParseResult result;
    ~FreeParse() { pg_query_free_parse_result(result); }
};

// The text with what may be DuckDB's taken out; nullopt if its parentheses do not close.
struct Outline {
    std::string shown;
    InnerText query;
    std::string condition;
};

std::optional<Outline> outline_of(std::string_view text) {
    Outline outline;
    constexpr std::size_t kWordLength = 4;  // "COPY"
    const std::size_t open = skip_blank(text, skip_blank(text, 0) + kWordLength);
    if (open < text.size() && text[open] == '(') {
        const std::size_t close = closing_parenthesis(text, open);
        if (close == npos) return std::nullopt;
        outline.query = {std::string(text.substr(open + 1, close - open - 1)), open + 1};
        outline.shown = "COPY (SELECT 1)" + std::string(text.substr(close + 1));
        return outline;
    }
    const std::size_t where = find_word(text, "where");
    outline.shown = std::string(text.substr(0, where));
    if (where != npos) outline.condition = std::string(text.substr(where + 5));
    return outline;
}

}  // namespace

Statement classify_copy(std::string_view text) {
    const auto outline = outline_of(text);
    if (!outline) return EngineStatement{};
    const FreeParse parse{pg_query_parse(outline->shown.c_str())};
    if (parse.result.error) return EngineStatement{};
    const json::value tree = json::parse(parse.result.parse_tree);
    const json::value* node = tree.at("stmts").at(0).at("stmt").as_object().if_contains("CopyStmt");
    if (!node) return EngineStatement{};
    const json::object& copy = node->as_object();

    if (copy.if_contains("filename") || copy.if_contains("is_program")) {
        return RefusedStatement{
            "42501", "permission denied: COPY reads and writes the client's own stream only (FROM STDIN, TO STDOUT)"};
    }
    CopyStatement statement;
    statement.from = copy.if_contains("is_from") != nullptr;
    if (!statement.from && !outline->condition.empty())
        return RefusedStatement{kSyntax, "WHERE clause not allowed with COPY TO"};
    Options options = options_of(copy, statement.from);
    if (options.refused) return *options.refused;
    if (options.copy.format.kind == CopyKind::parquet && !outline->condition.empty())
        return RefusedStatement{kUnsupported, "cannot specify WHERE in PARQUET mode"};
    statement.options = std::move(options.copy);
    if (!outline->query.text.empty()) {
        if (statement.from) return EngineStatement{};
        statement.query = outline->query;
        return statement;
    }
    const json::object& relation = copy.at("relation").as_object();
    statement.target = {table_name(relation), column_list(copy), text_of(relation, "relname"), outline->condition};
    const std::string& columns = statement.target.columns;
    statement.query.text =
        "SELECT " + (columns.empty() ? "*" : columns.substr(1, columns.size() - 2)) + " FROM " + statement.target.table;
    statement.is_table = true;
    return statement;
}

}  // namespace boathouse::gateway
