#include "gateway/statement.hpp"

#include <pg_query.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>
#include <optional>

namespace boathouse::gateway {

namespace json = boost::json;

namespace {

// Skips space and comments (-- to the end of the line, /* nested */).
std::size_t skip_blank(std::string_view text, std::size_t at) {
    while (at < text.size()) {
        if (std::isspace(static_cast<unsigned char>(text[at]))) {
            ++at;
        } else if (text.substr(at, 2) == "--") {
            at = std::min(text.find('\n', at), text.size());
        } else if (text.substr(at, 2) == "/*") {
            int depth = 1;
            at += 2;
            while (at < text.size() && depth > 0) {
                if (text.substr(at, 2) == "/*") {
                    ++depth;
                    at += 2;
                } else if (text.substr(at, 2) == "*/") {
                    --depth;
                    at += 2;
                } else {
                    ++at;
                }
            }
        } else {
            return at;
        }
    }
    return at;
}

std::string first_word(std::string_view text) {
    std::string word;
    for (std::size_t at = skip_blank(text, 0); at < text.size() && std::isalpha(static_cast<unsigned char>(text[at]));
         ++at) {
        word += static_cast<char>(std::tolower(static_cast<unsigned char>(text[at])));
    }
    return word;
}

bool is_session_word(const std::string& word) {
    static constexpr std::string_view kWords[] = {
        "abort",   "begin", "commit",   "deallocate", "discard", "end",  "listen", "lock",     "notify",
        "release", "reset", "rollback", "savepoint",  "set",     "show", "start",  "unlisten",
    };
    return std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords);
}

std::string text_of(const json::object& object, std::string_view key) {
    const json::value* value = object.if_contains(key);
    return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

bool flag_of(const json::object& object, std::string_view key) {
    const json::value* value = object.if_contains(key);
    return value && value->is_bool() && value->as_bool();
}

const json::array& list_of(const json::object& object, std::string_view key) {
    static const json::array kNone;
    const json::value* value = object.if_contains(key);
    return value && value->is_array() ? value->as_array() : kNone;
}

// A_Const: {"ival":{"ival":5}}, {"sval":{"sval":"x"}}, {"boolval":{"boolval":true}}, {"fval":{"fval":"1.5"}}; a zero or
// false value is left out by the printer.
std::optional<std::string> constant_text(const json::object& node) {
    const json::value* constant = node.if_contains("A_Const");
    if (!constant) return std::nullopt;
    const json::object& value = constant->as_object();
    if (const json::value* text = value.if_contains("sval")) return text_of(text->as_object(), "sval");
    if (const json::value* number = value.if_contains("fval")) return text_of(number->as_object(), "fval");
    if (const json::value* number = value.if_contains("ival")) {
        const json::value* digits = number->as_object().if_contains("ival");
        return digits ? std::to_string(digits->to_number<std::int64_t>()) : "0";
    }
    if (const json::value* flag = value.if_contains("boolval")) {
        return flag_of(flag->as_object(), "boolval") ? "on" : "off";
    }
    return std::nullopt;
}

// SET TIME ZONE INTERVAL '1' HOUR and the like cast a constant: its text is what counts.
std::optional<std::string> argument_text(const json::value& argument) {
    const json::object& node = argument.as_object();
    if (const json::value* cast = node.if_contains("TypeCast")) {
        const json::value* inner = cast->as_object().if_contains("arg");
        return inner ? constant_text(inner->as_object()) : std::nullopt;
    }
    return constant_text(node);
}

// TransactionStmt's and SET TRANSACTION's options: DefElem name and constant.
std::vector<std::pair<std::string, std::string>> options_of(const json::array& list) {
    std::vector<std::pair<std::string, std::string>> options;
    for (const json::value& item : list) {
        const json::value* element = item.as_object().if_contains("DefElem");
        if (!element) continue;
        const json::object& definition = element->as_object();
        const json::value* argument = definition.if_contains("arg");
        const std::optional<std::string> value = argument ? argument_text(*argument) : std::nullopt;
        options.emplace_back(text_of(definition, "defname"), value.value_or(""));
    }
    return options;
}

bool wants_read_only(const json::array& list) {
    for (const auto& [name, value] : options_of(list)) {
        if (name == "transaction_read_only" && value == "1") return true;
    }
    return false;
}

Statement transaction_statement(const json::object& node) {
    const std::string kind = text_of(node, "kind");
    const std::string savepoint = text_of(node, "savepoint_name");
    if (kind == "TRANS_STMT_BEGIN" || kind == "TRANS_STMT_START")
        return BeginStatement{wants_read_only(list_of(node, "options"))};
    if (kind == "TRANS_STMT_COMMIT") return CommitStatement{flag_of(node, "chain")};
    if (kind == "TRANS_STMT_ROLLBACK") return RollbackStatement{flag_of(node, "chain")};
    if (kind == "TRANS_STMT_SAVEPOINT") return SavepointStatement{SavepointAction::define, savepoint};
    if (kind == "TRANS_STMT_RELEASE") return SavepointStatement{SavepointAction::release, savepoint};
    if (kind == "TRANS_STMT_ROLLBACK_TO") return SavepointStatement{SavepointAction::rollback_to, savepoint};
    return EngineStatement{};
}

Statement set_statement(const json::object& node) {
    const std::string kind = text_of(node, "kind");
    if (kind == "VAR_RESET") return ResetStatement{text_of(node, "name")};
    if (kind == "VAR_RESET_ALL") return ResetStatement{};
    if (kind == "VAR_SET_MULTI") return SetTransactionStatement{options_of(list_of(node, "args"))};
    SetStatement set{text_of(node, "name"), {}, flag_of(node, "is_local")};
    if (kind == "VAR_SET_DEFAULT") return set;
    for (const json::value& argument : list_of(node, "args")) {
        const std::optional<std::string> value = argument_text(argument);
        if (!value) return EngineStatement{};
        set.values.push_back(*value);
    }
    return set;
}

Statement discard_statement(const json::object& node) {
    const std::string target = text_of(node, "target");
    if (target == "DISCARD_PLANS") return DiscardStatement{DiscardTarget::plans};
    if (target == "DISCARD_SEQUENCES") return DiscardStatement{DiscardTarget::sequences};
    if (target == "DISCARD_TEMP") return DiscardStatement{DiscardTarget::temporary};
    return DiscardStatement{DiscardTarget::all};
}

Statement session_statement(const std::string& kind, const json::object& node) {
    if (kind == "TransactionStmt") return transaction_statement(node);
    if (kind == "VariableSetStmt") return set_statement(node);
    if (kind == "VariableShowStmt") return ShowStatement{text_of(node, "name")};
    if (kind == "DiscardStmt") return discard_statement(node);
    if (kind == "DeallocateStmt") return DeallocateStatement{text_of(node, "name")};
    if (kind == "ListenStmt") return IgnoredStatement{"LISTEN", "notifications are not delivered by this server"};
    if (kind == "UnlistenStmt") return IgnoredStatement{"UNLISTEN", ""};
    if (kind == "NotifyStmt") return IgnoredStatement{"NOTIFY", "notifications are not delivered by this server"};
    if (kind == "LockStmt")
        return IgnoredStatement{"LOCK TABLE", "tables of the lake are not locked: writers that collide fail at COMMIT"};
    return EngineStatement{};
}

struct FreeParse {
    PgQueryParseResult result;
    ~FreeParse() { pg_query_free_parse_result(result); }
};

struct FreeSplit {
    PgQuerySplitResult result;
    ~FreeSplit() { pg_query_free_split_result(result); }
};

}  // namespace

std::vector<ScriptPart> split_script(std::string_view script) {
    std::vector<ScriptPart> parts;
    const auto add = [&](std::size_t offset, std::size_t length) {
        const std::size_t begin = skip_blank(script.substr(0, offset + length), offset);
        if (begin < offset + length) parts.push_back({script.substr(begin, offset + length - begin), begin});
    };
    const std::size_t semicolon = script.find(';');
    if (semicolon == std::string_view::npos) {
        add(0, script.size());
        return parts;
    }
    if (skip_blank(script, semicolon + 1) == script.size()) {
        add(0, semicolon);
        return parts;
    }
    const FreeSplit split{pg_query_split_with_scanner(std::string(script).c_str())};
    if (split.result.error) {
        // An unterminated quote or comment: whole, for a parser that says so.
        add(0, script.size());
        return parts;
    }
    for (int i = 0; i < split.result.n_stmts; ++i) {
        const PgQuerySplitStmt& statement = *split.result.stmts[i];
        add(static_cast<std::size_t>(statement.stmt_location), static_cast<std::size_t>(statement.stmt_len));
    }
    return parts;
}

Statement classify(std::string_view text) {
    const std::string word = first_word(text);
    if (word == "copy") return classify_copy(text);
    if (!is_session_word(word)) return EngineStatement{};
    const FreeParse parse{pg_query_parse(std::string(text).c_str())};
    if (parse.result.error) return EngineStatement{};
    boost::system::error_code failed;
    const json::value tree = json::parse(parse.result.parse_tree, failed);
    if (failed) return EngineStatement{};
    const json::array& statements = list_of(tree.as_object(), "stmts");
    if (statements.size() != 1) return EngineStatement{};
    const json::value* statement = statements[0].as_object().if_contains("stmt");
    if (!statement || statement->as_object().empty()) return EngineStatement{};
    const auto& [kind, node] = *statement->as_object().begin();
    return session_statement(std::string(kind), node.as_object());
}

}  // namespace boathouse::gateway
