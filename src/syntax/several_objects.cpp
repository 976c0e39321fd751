// DROP, TRUNCATE and ALTER TABLE that name several things in one statement: DuckDB takes one at a time, so each gets a
// statement of its own, and the engine runs them as one. CASCADE, RESTRICT and what TRUNCATE may do to sequences mean
// nothing in a lake, where nothing depends on anything; a schema's CASCADE does, and stays.
//
//   DROP TABLE IF EXISTS a, b                  DROP TABLE IF EXISTS a; DROP TABLE IF EXISTS b
//   ALTER TABLE t ADD a int, DROP COLUMN b     ALTER TABLE t ADD a int; ALTER TABLE t DROP COLUMN b
#include <algorithm>

#include "syntax/families.hpp"

namespace boathouse::syntax {

namespace {

class Several {
  public:
    explicit Several(Draft& draft) : draft_(draft) {}

    // The statement's last words go to every part.
    void repeat_end(std::size_t words) {
        suffix_ = " " + text(end_ - words, end_);
        end_ -= words;
    }
    void remove_end(std::size_t words) {
        draft_.splices.remove(draft_.tokens[end_ - words].begin, draft_.tokens[end_ - 1].end);
        end_ -= words;
    }

    // `first`: the index of the token with which the first part begins; what stands before it goes to every part.
    void split(std::size_t first) {
        const std::string prefix = text(0, first);
        int depth = 0;
        for (std::size_t index = first; index < end_; ++index) {
            const Token& token = draft_.tokens[index];
            if (token.kind == PG_QUERY__TOKEN__ASCII_40 || token.kind == PG_QUERY__TOKEN__ASCII_91) ++depth;
            if (token.kind == PG_QUERY__TOKEN__ASCII_41 || token.kind == PG_QUERY__TOKEN__ASCII_93) --depth;
            if (depth > 0 || token.kind != PG_QUERY__TOKEN__ASCII_44) continue;
            draft_.splices.replace(token.begin, token.end, suffix_ + "; " + prefix);
        }
        draft_.is_several = true;
    }

    std::size_t end() const { return end_; }
    PgQuery__Token kind(std::size_t index) const {
        return index < end_ ? draft_.tokens[index].kind : PG_QUERY__TOKEN__NUL;
    }

    // Behind a name with dots that begins at `index`, and behind the star that old spellings put there.
    std::size_t after_name(std::size_t index) const {
        while (kind(index + 1) == PG_QUERY__TOKEN__ASCII_46) index += 2;
        return index + (kind(index + 1) == PG_QUERY__TOKEN__ASCII_42 ? 2 : 1);
    }

  private:
    std::string text(std::size_t from, std::size_t to) const {
        if (from == to) return {};
        const std::size_t begin = draft_.tokens[from].begin;
        return std::string(draft_.text.substr(begin, draft_.tokens[to - 1].end - begin)) + " ";
    }

    Draft& draft_;
    std::size_t end_ = draft_.tokens.size() -
                       (!draft_.tokens.empty() && draft_.tokens.back().kind == PG_QUERY__TOKEN__ASCII_59 ? 1 : 0);
    std::string suffix_;
};

bool is_behaviour(PgQuery__Token kind) {
    return kind == PG_QUERY__TOKEN__CASCADE || kind == PG_QUERY__TOKEN__RESTRICT;
}

void split_drop(Draft& draft, const PgQuery__DropStmt& drop) {
    Several several(draft);
    const PgQuery__Token last = several.kind(several.end() - 1);
    if (is_behaviour(last) && drop.remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA) {
        several.repeat_end(1);
    } else if (is_behaviour(last)) {
        several.remove_end(1);
        if (last == PG_QUERY__TOKEN__CASCADE)
            draft.notices.push_back({false, "00000", "the lake knows no dependencies: CASCADE drops what is named"});
    }
    if (drop.n_objects < 2) return;
    // DROP <kind, one or two words> [IF EXISTS]
    std::size_t first = drop.remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW ? 3 : 2;
    if (drop.missing_ok) first += 2;
    several.split(first);
}

void split_truncate(Draft& draft, const PgQuery__TruncateStmt& truncate) {
    Several several(draft);
    if (is_behaviour(several.kind(several.end() - 1))) several.remove_end(1);
    if (several.kind(several.end() - 1) == PG_QUERY__TOKEN__IDENTITY_P) several.remove_end(2);
    if (truncate.n_relations < 2) return;
    several.split(several.kind(1) == PG_QUERY__TOKEN__TABLE ? 2 : 1);
}

// Keys are left out elsewhere, comma and all; mixed with other actions they stay DuckDB's to refuse.
bool changes_only_columns(const PgQuery__AlterTableStmt& alter) {
    for (std::size_t i = 0; i < alter.n_cmds; ++i) {
        const auto* command = as<PgQuery__AlterTableCmd>(unwrap(alter.cmds[i]), pg_query__alter_table_cmd__descriptor);
        if (!command || command->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint) return false;
    }
    return true;
}

void split_alter(Draft& draft, const PgQuery__AlterTableStmt& alter) {
    if (alter.n_cmds < 2 || !alter.relation || !changes_only_columns(alter)) return;
    const auto at = static_cast<std::size_t>(std::max(alter.relation->location, 0));
    const auto name =
        std::find_if(draft.tokens.begin(), draft.tokens.end(), [&](const Token& token) { return token.begin >= at; });
    Several several(draft);
    several.split(several.after_name(static_cast<std::size_t>(name - draft.tokens.begin())));
}

}  // namespace

Step split_several(Draft& draft, const ProtobufCMessage& statement) {
    if (const auto* drop = as<PgQuery__DropStmt>(&statement, pg_query__drop_stmt__descriptor)) split_drop(draft, *drop);
    if (const auto* truncate = as<PgQuery__TruncateStmt>(&statement, pg_query__truncate_stmt__descriptor)) {
        split_truncate(draft, *truncate);
        draft.tag = "TRUNCATE TABLE";
    }
    if (const auto* alter = as<PgQuery__AlterTableStmt>(&statement, pg_query__alter_table_stmt__descriptor))
        split_alter(draft, *alter);
    return {};
}

}  // namespace boathouse::syntax
