#include "syntax/tree.hpp"

namespace boathouse::syntax {

namespace {

struct FreeParse {
    PgQueryProtobufParseResult result;
    ~FreeParse() { pg_query_free_protobuf_parse_result(result); }
};

// The byte at which the character number `position` (from 1) begins.
std::size_t byte_of(std::string_view text, int position) {
    std::size_t at = 0;
    for (int seen = 1; at < text.size(); ++at) {
        const bool begins_character = (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
        if (begins_character && seen++ == position) return at;
    }
    return at;
}

ParseError limit(const char* what) {
    return {ParseError::Kind::limit, what};
}

}  // namespace

const ProtobufCMessage* unwrap(const PgQuery__Node* node) {
    if (!node || node->node_case == PG_QUERY__NODE__NODE__NOT_SET) return nullptr;
    return reinterpret_cast<const ProtobufCMessage*>(
        node->integer);  // all members of the union are pointers to messages
}

std::vector<std::string> names_of(PgQuery__Node* const* list, std::size_t count) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < count; ++i) {
        if (list[i]->node_case == PG_QUERY__NODE__NODE_STRING) names.emplace_back(list[i]->string->sval);
    }
    return names;
}

std::string_view sql_value_function_name(PgQuery__SQLValueFunctionOp op) {
    switch (op) {
        case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_DATE:
            return "current_date";
        case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIME:
        case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIME_N:
            return "current_time";
        case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP:
        case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP_N:
            return "current_timestamp";
        case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME:
        case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME_N:
            return "localtime";
        case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP:
        case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP_N:
            return "localtimestamp";
        case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_ROLE:
            return "current_role";
        case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_USER:
            return "current_user";
        case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_USER:
            return "user";
        case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_SESSION_USER:
            return "session_user";
        case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_CATALOG:
            return "current_catalog";
        case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_SCHEMA:
            return "current_schema";
        default:
            return "";
    }
}

bool is_within_limits(std::string_view text) {
    if (text.size() > kTextBytesMax) return false;
    const std::optional<std::vector<Token>> tokens = scan(text);
    return !tokens || nesting_of(*tokens) <= kNestingMax;
}

Parsed<Tree> parse_nodes(std::string_view text) {
    if (text.size() > kTextBytesMax) return limit("the statement is too long for PostgreSQL's parser");
    if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
        return ParseError{ParseError::Kind::syntax, "the statement holds a NUL character", nul};
    }
    Tree tree;
    std::optional<std::vector<Token>> tokens = scan(text);
    if (tokens && nesting_of(*tokens) > kNestingMax) return limit("the statement is nested too deeply");
    const FreeParse parsed{pg_query_parse_protobuf(std::string(text).c_str())};
    if (const PgQueryError* error = parsed.result.error) {
        return ParseError{ParseError::Kind::syntax, error->message, byte_of(text, error->cursorpos)};
    }
    if (!tokens) return limit("the statement's words cannot be told apart");
    tree.tokens = std::move(*tokens);
    const PgQueryProtobuf& bytes = parsed.result.parse_tree;
    tree.root.reset(
        pg_query__parse_result__unpack(nullptr, bytes.len, reinterpret_cast<const std::uint8_t*>(bytes.data)));
    if (!tree.root) return limit("the statement's parse tree cannot be read");
    return tree;
}

}  // namespace boathouse::syntax
