// COPY's own syntax, by PostgreSQL's parser. The query in COPY (query) TO may be DuckDB's: it is cut out by its
// parentheses, and PostgreSQL's parser sees a stand-in for it.
#include <pg_query.h>

#include <boost/json.hpp>
#include <optional>

#include "gateway/statement.hpp"

namespace boathouse::gateway {

namespace json = boost::json;

namespace {

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

// The parenthesis that closes the one at `open`, quotes and comments skipped; npos if none does.
std::size_t closing(std::string_view text, std::size_t open) {
    int depth = 0;
    for (std::size_t at = open; at < text.size(); ++at) {
        const char byte = text[at];
        if (byte == '\'' || byte == '"') {
            at = text.find(byte, at + 1);
            if (at == std::string_view::npos) return at;
        } else if (text.substr(at, 2) == "--") {
            at = text.find('\n', at);
            if (at == std::string_view::npos) return at;
        } else if (byte == '(') {
            ++depth;
        } else if (byte == ')' && --depth == 0) {
            return at;
        }
    }
    return std::string_view::npos;
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

struct Options {
    pgwire::CopyFormat format;
    std::optional<RefusedStatement> refused;
};

RefusedStatement unsupported(const std::string& what) {
    return {"0A000", "COPY " + what + " is not supported"};
}
RefusedStatement invalid(const std::string& what) {
    return {"22023", "COPY " + what};
}

// An option's argument as text; "true" if it has none.
std::string argument_of(const json::object& definition) {
    const json::value* argument = definition.if_contains("arg");
    if (!argument) return "true";
    const auto& [kind, value] = *argument->as_object().begin();
    if (kind == "Boolean") {
        const json::value* flag = value.as_object().if_contains("boolval");
        return flag && flag->as_bool() ? "true" : "false";
    }
    if (kind == "Integer") return value.as_object().if_contains("ival") ? "1" : "0";
    return text_of(value.as_object(), "sval");
}

void set_character(Options& options, char& character, const std::string& name, const std::string& value) {
    if (value.size() != 1) {
        options.refused = invalid(name + " must be a single one-byte character");
    } else {
        character = value[0];
    }
}

void apply(Options& options, const std::string& name, const std::string& value) {
    if (name == "format") {
        if (value != "text" && value != "csv") options.refused = unsupported("format \"" + value + "\"");
    } else if (name == "delimiter") {
        set_character(options, options.format.delimiter, name, value);
    } else if (name == "quote") {
        set_character(options, options.format.quote, name, value);
    } else if (name == "escape") {
        set_character(options, options.format.escape, name, value);
    } else if (name == "null") {
        options.format.null_text = value;
    } else if (name == "header") {
        if (value == "match") options.refused = unsupported("HEADER MATCH");
        options.format.header = value == "true" || value == "on" || value == "1";
    } else if (name == "encoding") {
        if (value != "utf8" && value != "UTF8" && value != "utf-8" && value != "UTF-8")
            options.refused = unsupported("ENCODING other than UTF8");
    } else if (name != "freeze") {
        options.refused = unsupported("option \"" + name + "\"");
    }
}

Options options_of(const json::object& copy) {
    Options options;
    const json::value* list = copy.if_contains("options");
    if (!list) return options;
    std::vector<std::pair<std::string, std::string>> pairs;
    bool has_escape = false;
    for (const json::value& item : list->as_array()) {
        const json::object& definition = item.at("DefElem").as_object();
        pairs.emplace_back(text_of(definition, "defname"), argument_of(definition));
        if (pairs.back().first == "format" && pairs.back().second == "csv") {
            options.format.csv = true;
            options.format.delimiter = ',';
            options.format.null_text.clear();
        }
        has_escape = has_escape || pairs.back().first == "escape";
    }
    for (const auto& [name, value] : pairs) apply(options, name, value);
    if (!has_escape) options.format.escape = options.format.quote;
    return options;
}

struct FreeParse {
    PgQueryParseResult result;
    ~FreeParse() { pg_query_free_parse_result(result); }
};

}  // namespace

Statement classify_copy(std::string_view text) {
    std::string shown(text);
    std::string query;
    const std::size_t word_end = text.find_first_of("( \t\n\r\"", text.find_first_of("cC"));
    const std::size_t open = text.find_first_not_of(" \t\n\r", std::min(word_end, text.size()));
    if (open != std::string_view::npos && text[open] == '(') {
        const std::size_t close = closing(text, open);
        if (close == std::string_view::npos) return EngineStatement{};
        query = std::string(text.substr(open + 1, close - open - 1));
        shown = "COPY (SELECT 1)" + std::string(text.substr(close + 1));
    }
    const FreeParse parse{pg_query_parse(shown.c_str())};
    if (parse.result.error) return EngineStatement{};
    const json::value tree = json::parse(parse.result.parse_tree);
    const json::value* node = tree.at("stmts").at(0).at("stmt").as_object().if_contains("CopyStmt");
    if (!node) return EngineStatement{};
    const json::object& copy = node->as_object();

    if (copy.if_contains("filename") || copy.if_contains("is_program")) {
        return RefusedStatement{
            "42501", "permission denied: COPY reads and writes the client's own stream only (FROM STDIN, TO STDOUT)"};
    }
    if (copy.if_contains("whereClause")) return unsupported("FROM with WHERE");
    Options options = options_of(copy);
    if (options.refused) return *options.refused;
    CopyStatement statement;
    statement.format = options.format;
    statement.from = copy.if_contains("is_from") != nullptr;
    if (!query.empty()) {
        statement.query = query;
        return statement;
    }
    statement.target = {table_name(copy.at("relation").as_object()), column_list(copy)};
    const std::string& columns = statement.target.columns;
    statement.query =
        "SELECT " + (columns.empty() ? "*" : columns.substr(1, columns.size() - 2)) + " FROM " + statement.target.table;
    return statement;
}

}  // namespace boathouse::gateway
