#include "gateway/statement.hpp"

#include <pg_query.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>
#include <optional>

#include "gateway/script.hpp"
#include "syntax/parse_tree.hpp"

namespace boathouse::gateway {

namespace json = boost::json;

namespace {

bool is_session_word(const std::string& word) {
    static constexpr std::string_view kWords[] = {
        "abort", "begin",  "close",   "commit",   "deallocate", "declare", "discard",  "end",
        "fetch", "listen", "lock",    "move",     "notify",     "prepare", "release",  "reset",
        "set",   "show",   "execute", "rollback", "savepoint",  "start",   "unlisten",
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

std::int64_t number_of(const json::object& object, std::string_view key) {
    const json::value* value = object.if_contains(key);
    return value && value->is_number() ? value->to_number<std::int64_t>() : 0;
}

const json::array& list_of(const json::object& object, std::string_view key) {
    static const json::array kNone;
    const json::value* value = object.if_contains(key);
    return value && value->is_array() ? value->as_array() : kNone;
}

// The printer leaves out numbers that are not above zero: the text has them.
std::string digits_at(std::string_view text, std::int64_t location) {
    std::size_t at = static_cast<std::size_t>(std::max<std::int64_t>(location, 0));
    std::string digits;
    if (at < text.size() && text[at] == '-') digits += text[at++];
    while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at]))) ++at;
    while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at]))) digits += text[at++];
    return digits.empty() || digits == "-" ? "0" : digits;
}

// A_Const: {"ival":{"ival":5}}, {"sval":{"sval":"x"}}, {"boolval":{"boolval":true}}, {"fval":{"fval":"1.5"}}; a zero or
// false value is left out by the printer.
std::optional<std::string> constant_text(const json::object& node, std::string_view text) {
    const json::value* constant = node.if_contains("A_Const");
    if (!constant) return std::nullopt;
    const json::object& value = constant->as_object();
    if (const json::value* string = value.if_contains("sval")) return text_of(string->as_object(), "sval");
    if (const json::value* number = value.if_contains("fval")) return text_of(number->as_object(), "fval");
    if (const json::value* number = value.if_contains("ival")) {
        const json::value* digits = number->as_object().if_contains("ival");
        if (digits) return std::to_string(digits->to_number<std::int64_t>());
        return digits_at(text, number_of(value, "location"));
    }
    if (const json::value* flag = value.if_contains("boolval")) {
        return flag_of(flag->as_object(), "boolval") ? "on" : "off";
    }
    return std::nullopt;
}

// SET TIME ZONE INTERVAL '1' HOUR and the like cast a constant: its text is what counts.
std::optional<std::string> argument_text(const json::value& argument, std::string_view text) {
    const json::object& node = argument.as_object();
    if (const json::value* cast = node.if_contains("TypeCast")) {
        const json::value* inner = cast->as_object().if_contains("arg");
        return inner ? constant_text(inner->as_object(), text) : std::nullopt;
    }
    return constant_text(node, text);
}

// The value as SET would take it: read-only and deferrable come as 0 and 1.
TransactionOptions options_of(const json::array& list) {
    TransactionOptions options;
    for (const json::value& item : list) {
        const json::value* element = item.as_object().if_contains("DefElem");
        if (!element) continue;
        const json::object& definition = element->as_object();
        const std::string name = text_of(definition, "defname");
        const json::value* argument = definition.if_contains("arg");
        std::string value = argument ? argument_text(*argument, {}).value_or("") : "";
        if (name != "transaction_isolation") value = value == "1" ? "on" : "off";
        options.emplace_back(name, value);
    }
    return options;
}

Statement transaction_statement(const json::object& node) {
    const std::string kind = text_of(node, "kind");
    const std::string savepoint = text_of(node, "savepoint_name");
    if (kind == "TRANS_STMT_BEGIN") return BeginStatement{options_of(list_of(node, "options"))};
    if (kind == "TRANS_STMT_START") return BeginStatement{options_of(list_of(node, "options")), "START TRANSACTION"};
    if (kind == "TRANS_STMT_COMMIT") return CommitStatement{flag_of(node, "chain")};
    if (kind == "TRANS_STMT_ROLLBACK") return RollbackStatement{flag_of(node, "chain")};
    if (kind == "TRANS_STMT_SAVEPOINT") return SavepointStatement{SavepointAction::define, savepoint};
    if (kind == "TRANS_STMT_RELEASE") return SavepointStatement{SavepointAction::release, savepoint};
    if (kind == "TRANS_STMT_ROLLBACK_TO") return SavepointStatement{SavepointAction::rollback_to, savepoint};
    return RefusedStatement{"0A000", "two-phase commit is not supported"};
}

Statement set_transaction(const std::string& scope, const json::object& node) {
    if (scope == "TRANSACTION SNAPSHOT") {
        return RefusedStatement{"0A000", "snapshots of transactions are not exported or imported",
                                "Read the lake as of a snapshot with AT (VERSION => n)."};
    }
    return SetTransactionStatement{options_of(list_of(node, "args")), scope == "SESSION CHARACTERISTICS"};
}

Statement set_statement(const json::object& node, std::string_view text) {
    const std::string kind = text_of(node, "kind");
    const std::string name = text_of(node, "name");
    if (kind == "VAR_RESET") return ResetStatement{name};
    if (kind == "VAR_RESET_ALL") return ResetStatement{};
    if (kind == "VAR_SET_MULTI") return set_transaction(name, node);
    SetStatement set{name, {}, flag_of(node, "is_local")};
    if (kind == "VAR_SET_DEFAULT") return set;
    for (const json::value& argument : list_of(node, "args")) {
        const std::optional<std::string> value = argument_text(argument, text);
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

Statement fetch_statement(const json::object& node) {
    FetchStatement fetch;
    fetch.name = text_of(node, "portalname");
    fetch.count = number_of(node, "howMany");
    fetch.move = flag_of(node, "ismove");
    const std::string direction = text_of(node, "direction");
    if (direction == "FETCH_BACKWARD") fetch.direction = FetchDirection::backward;
    if (direction == "FETCH_ABSOLUTE") fetch.direction = FetchDirection::absolute;
    if (direction == "FETCH_RELATIVE") fetch.direction = FetchDirection::relative;
    return fetch;
}

Statement session_statement(const std::string& kind, const json::object& node, std::string_view text) {
    if (kind == "TransactionStmt") return transaction_statement(node);
    if (kind == "VariableSetStmt") return set_statement(node, text);
    if (kind == "VariableShowStmt") return ShowStatement{text_of(node, "name")};
    if (kind == "DiscardStmt") return discard_statement(node);
    if (kind == "DeallocateStmt") return DeallocateStatement{text_of(node, "name")};
    if (kind == "FetchStmt") return fetch_statement(node);
    if (kind == "ClosePortalStmt") return CloseStatement{text_of(node, "portalname")};
    if (kind == "ListenStmt") return ListenStatement{text_of(node, "conditionname")};
    if (kind == "UnlistenStmt") return UnlistenStatement{};
    if (kind == "NotifyStmt")
        return RefusedStatement{"0A000", "clients do not notify each other here: the lake's commits do, who listens",
                                "LISTEN lake_changes tells of them. NOTIFY works on the catalog's port, which is a "
                                "PostgreSQL."};
    if (kind == "LockStmt")
        return IgnoredStatement{"LOCK TABLE", "tables of the lake are not locked: writers that collide fail at COMMIT"};
    return EngineStatement{};
}

struct FreeParse {
    PgQueryParseResult result;
    ~FreeParse() { pg_query_free_parse_result(result); }
};

// The tree of the only statement in `text`: its kind and its node; nullopt if PostgreSQL's parser does not take it.
std::optional<std::pair<std::string, json::object>> parse_tree(const std::string& text) {
    if (!syntax::is_within_limits(text)) return std::nullopt;
    const FreeParse parse{pg_query_parse(text.c_str())};
    if (parse.result.error) return std::nullopt;
    boost::system::error_code failed;
    const json::value tree = json::parse(parse.result.parse_tree, failed);
    if (failed) return std::nullopt;
    const json::array& statements = list_of(tree.as_object(), "stmts");
    if (statements.size() != 1) return std::nullopt;
    const json::value* statement = statements[0].as_object().if_contains("stmt");
    if (!statement || statement->as_object().empty()) return std::nullopt;
    const auto& [kind, node] = *statement->as_object().begin();
    return std::make_pair(std::string(kind), node.as_object());
}

InnerText inner(std::string_view text, std::size_t from, std::size_t to = std::string_view::npos) {
    while (from < text.size() && std::isspace(static_cast<unsigned char>(text[from]))) ++from;
    return {std::string(text.substr(from, to == std::string_view::npos ? to : to - from)), from};
}

// Statements whose end may be in DuckDB's grammar: PostgreSQL's parser sees a stand-in for it.
constexpr const char* kStandIn = " SELECT 1";

// DECLARE c … CURSOR … FOR query.
Statement declare_statement(std::string_view text) {
    const std::size_t cursor_for = find_word(text, "for");
    if (cursor_for == std::string_view::npos) return EngineStatement{};
    const auto tree = parse_tree(std::string(text.substr(0, cursor_for + 3)) + kStandIn);
    if (!tree || tree->first != "DeclareCursorStmt") return EngineStatement{};
    constexpr std::int64_t kBinary = 0x0001;
    constexpr std::int64_t kScroll = 0x0002;
    constexpr std::int64_t kHold = 0x0020;
    const std::int64_t options = number_of(tree->second, "options");
    DeclareStatement declare;
    declare.name = text_of(tree->second, "portalname");
    declare.binary = (options & kBinary) != 0;
    declare.scroll = (options & kScroll) != 0;
    declare.hold = (options & kHold) != 0;
    declare.query = inner(text, cursor_for + 3);
    return declare;
}

// The types between the parentheses of PREPARE s (int, numeric(10,2)) AS, as they are written.
std::vector<std::string> parameter_types(std::string_view head) {
    std::vector<std::string> types;
    const std::size_t open = find_outside_quotes(head, '(');
    if (open == std::string_view::npos) return types;
    const std::string_view list = head.substr(open + 1, closing_parenthesis(head, open) - open - 1);
    int depth = 0;
    std::string type;
    for (const char byte : list) {
        if (byte == '(') ++depth;
        if (byte == ')') --depth;
        if (byte != ',' || depth > 0) {
            type += byte;
            continue;
        }
        types.push_back(std::move(type));
        type.clear();
    }
    types.push_back(std::move(type));
    return types;
}

// PREPARE s [(types)] AS statement.
Statement prepare_statement(std::string_view text) {
    const std::size_t as = find_word(text, "as");
    const std::string_view head = text.substr(0, as);
    const auto tree =
        parse_tree(as == std::string_view::npos ? std::string(text) : std::string(head) + "AS" + kStandIn);
    if (!tree) return EngineStatement{};
    if (tree->first == "TransactionStmt") return transaction_statement(tree->second);
    if (tree->first != "PrepareStmt" || as == std::string_view::npos) return EngineStatement{};
    return PrepareStatement{text_of(tree->second, "name"), parameter_types(head), inner(text, as + 2)};
}

// EXECUTE s [(expressions)].
Statement execute_statement(std::string_view text) {
    const std::size_t open = find_outside_quotes(text, '(');
    const auto tree = parse_tree(std::string(text.substr(0, open)));
    if (!tree || tree->first != "ExecuteStmt") return EngineStatement{};
    ExecuteStatement execute{text_of(tree->second, "name"), {}};
    if (open == std::string_view::npos) return execute;
    const std::size_t close = closing_parenthesis(text, open);
    if (close == std::string_view::npos) return EngineStatement{};
    execute.arguments = inner(text, open + 1, close);
    return execute;
}

}  // namespace

Statement classify(std::string_view text) {
    const std::string word = first_word(text);
    if (word == "copy") return classify_copy(text);
    if (word == "declare") return declare_statement(text);
    if (word == "prepare") return prepare_statement(text);
    if (word == "execute") return execute_statement(text);
    if (!is_session_word(word)) return EngineStatement{};
    const auto tree = parse_tree(std::string(text));
    if (!tree) return EngineStatement{};
    return session_statement(tree->first, tree->second, text);
}

}  // namespace boathouse::gateway
