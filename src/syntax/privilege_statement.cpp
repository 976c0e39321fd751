#include "syntax/privilege_statement.hpp"

#include <algorithm>

#include "syntax/parse_tree.hpp"
#include "syntax/splice.hpp"
#include "syntax/tree.hpp"

namespace boathouse::syntax {

namespace {

constexpr const char* kMain = "main";

bool is_kept(PgQuery__ObjectType type) {
    return type == PG_QUERY__OBJECT_TYPE__OBJECT_TABLE || type == PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA ||
           type == PG_QUERY__OBJECT_TYPE__OBJECT_DATABASE;
}

// Why a GRANT or REVOKE of that kind cannot be had.
std::string refusal_of(const PgQuery__GrantStmt& grant, const std::string& database) {
    if (!is_kept(grant.objtype))
        return "privileges are kept on tables, views, columns, schemas and the database of the lake, on nothing else";
    if (grant.objtype != PG_QUERY__OBJECT_TYPE__OBJECT_DATABASE) return {};
    for (std::size_t i = 0; i < grant.n_objects; ++i) {
        const auto* name = as<PgQuery__String>(unwrap(grant.objects[i]), pg_query__string__descriptor);
        if (name == nullptr || name->sval != database) return "privileges on other databases are not granted here";
    }
    return {};
}

bool only_changes_owner(const PgQuery__AlterTableStmt& alter) {
    if (alter.n_cmds != 1) return false;
    const auto* command = as<PgQuery__AlterTableCmd>(unwrap(alter.cmds[0]), pg_query__alter_table_cmd__descriptor);
    return command != nullptr && command->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_ChangeOwner;
}

std::optional<PrivilegeStatement> classified(const ProtobufCMessage& node, const std::string& database) {
    PrivilegeStatement statement;
    statement.kind = tag_of(node);
    if (const auto* grant = as<PgQuery__GrantStmt>(&node, pg_query__grant_stmt__descriptor)) {
        statement.refusal = refusal_of(*grant, database);
        return statement;
    }
    if (const auto* defaults =
            as<PgQuery__AlterDefaultPrivilegesStmt>(&node, pg_query__alter_default_privileges_stmt__descriptor)) {
        if (defaults->action != nullptr && defaults->action->objtype != PG_QUERY__OBJECT_TYPE__OBJECT_TABLE &&
            defaults->action->objtype != PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA)
            statement.refusal = "default privileges are kept for tables and schemas";
        return statement;
    }
    if (node.descriptor == &pg_query__reassign_owned_stmt__descriptor) return statement;
    if (node.descriptor == &pg_query__drop_owned_stmt__descriptor) {
        statement.refusal = "DROP OWNED is not possible: the lake's tables are not dropped by owner";
        statement.hint = "REASSIGN OWNED gives them to another role; REVOKE takes privileges back.";
        return statement;
    }
    if (const auto* alter = as<PgQuery__AlterTableStmt>(&node, pg_query__alter_table_stmt__descriptor))
        return only_changes_owner(*alter) ? std::optional(statement) : std::nullopt;
    if (const auto* owner = as<PgQuery__AlterOwnerStmt>(&node, pg_query__alter_owner_stmt__descriptor)) {
        if (owner->object_type != PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA &&
            owner->object_type != PG_QUERY__OBJECT_TYPE__OBJECT_FUNCTION)
            statement.refusal = "tables, views, schemas and macros have owners of their own, nothing else of the lake";
        return statement;
    }
    return std::nullopt;
}

// A schema's name stands before a dot, or in a list after SCHEMA that ends with TO, FROM or OWNER.
std::string with_shown_main(std::string_view text, const std::vector<Token>& tokens, const std::string& shown) {
    Splices splices;
    bool in_schemas = false;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const Token& token = tokens[i];
        if (token.kind == PG_QUERY__TOKEN__SCHEMA) in_schemas = true;
        if (token.kind == PG_QUERY__TOKEN__TO || token.kind == PG_QUERY__TOKEN__FROM ||
            token.kind == PG_QUERY__TOKEN__OWNER || token.kind == PG_QUERY__TOKEN__GRANT ||
            token.kind == PG_QUERY__TOKEN__REVOKE)
            in_schemas = false;
        const std::string_view word = text.substr(token.begin, token.end - token.begin);
        std::string lower(word);
        std::transform(lower.begin(), lower.end(), lower.begin(),
                       [](char byte) { return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : byte; });
        if (lower != kMain && word != "\"main\"") continue;
        const bool before_dot = i + 1 < tokens.size() && tokens[i + 1].kind == PG_QUERY__TOKEN__ASCII_46;
        if (in_schemas || before_dot) splices.replace(token.begin, token.end, "\"" + shown + "\"");
    }
    return splices.empty() ? std::string(text) : splices.apply(text).text;
}

}  // namespace

std::optional<PrivilegeStatement> privilege_statement(std::string_view text, const PrivilegeNames& names) {
    if (!is_within_limits(text)) return std::nullopt;
    const Parsed<Tree> tree = parse_nodes(text);
    if (!tree || tree->root->n_stmts != 1) return std::nullopt;
    const ProtobufCMessage* const node = unwrap(tree->root->stmts[0]->stmt);
    if (node == nullptr) return std::nullopt;
    auto statement = classified(*node, names.mirror_database);
    if (statement) statement->text = with_shown_main(text, tree->tokens, names.shown_main);
    return statement;
}

}  // namespace boathouse::syntax
