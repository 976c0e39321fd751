// INSERT … ON CONFLICT as MERGE.
//
// Tables of the lake have no unique constraints; what the clause names as conflict target is taken for the key. Several
// new rows with one key: DO NOTHING keeps the first of them, DO UPDATE fails, as in PostgreSQL. NULL is equal to
// nothing.
//
//   INSERT INTO t (k, v) VALUES (…) ON CONFLICT (k) DO UPDATE SET v = excluded.v WHERE c
//   MERGE INTO t USING (SELECT * FROM (VALUES (…)) AS excluded(k, v) QUALIFY …) AS excluded ON (t.k = excluded.k)
//     WHEN MATCHED AND (c) THEN UPDATE SET v = excluded.v WHEN NOT MATCHED THEN INSERT (k, v) VALUES (…)
#include <algorithm>

#include "syntax/families.hpp"

namespace boathouse::syntax {

namespace {

constexpr const char* kKeyHint = "Name the columns of the key: ON CONFLICT (id) DO …";

std::size_t offset_of(int location) {
    return static_cast<std::size_t>(std::max(location, 0));
}

std::string quoted(std::string_view name) {
    std::string text = "\"";
    for (const char letter : name) text += letter == '"' ? std::string("\"\"") : std::string(1, letter);
    return text + "\"";
}

std::string joined(const std::vector<std::string>& parts, std::string_view separator) {
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : std::string(separator)) + part;
    return text;
}

bool has_default(const ProtobufCMessage& node) {
    if (node.descriptor == &pg_query__set_to_default__descriptor) return true;
    bool found = false;
    for_each_child(node, [&](const ProtobufCMessage& child) { found = found || has_default(child); });
    return found;
}

class Conflict {
  public:
    Conflict(Draft& draft, const PgQuery__InsertStmt& insert)
        : draft_(draft), insert_(insert), clause_(*insert.on_conflict_clause), at_(offset_of(clause_.location)) {}

    Step rewrite() {
        if (Step step = read(); !step) return step;
        const std::size_t insert_word = find(PG_QUERY__TOKEN__INSERT, 0);
        const std::size_t columns_open = before(offset_of(insert_.cols[0]->res_target->location));
        const std::size_t columns_close = closing(columns_open);
        draft_.splices.replace(token(insert_word).begin, token(insert_word).end, "MERGE");
        draft_.splices.replace(token(columns_open).begin, token(columns_close).end, "USING (SELECT * FROM (");
        const std::size_t clause = first_from(at_);
        const bool updates = clause_.action == PG_QUERY__ON_CONFLICT_ACTION__ONCONFLICT_UPDATE;
        const std::size_t do_word = find(PG_QUERY__TOKEN__DO, clause);
        const std::size_t last = updates ? find(PG_QUERY__TOKEN__SET, do_word) : do_word + 1;
        draft_.splices.replace(token(clause).begin, token(last).end, condition(updates, end_of_clause(last)));
        draft_.splices.insert(token(end_of_clause(last) - 1).end, insertion());
        draft_.tag = "INSERT";
        return {};
    }

  private:
    Refusal refuse(std::string message, std::string hint) const {
        return {"0A000", std::move(message), std::move(hint), at_};
    }

    Step read() {
        if (!clause_.infer || clause_.infer->n_index_elems == 0 || *clause_.infer->conname)
            return refuse("ON CONFLICT needs the columns of a key: tables of the lake have no unique constraints",
                          kKeyHint);
        for (std::size_t i = 0; i < clause_.infer->n_index_elems; ++i) {
            const PgQuery__IndexElem& element = *clause_.infer->index_elems[i]->index_elem;
            if (!*element.name) return refuse("ON CONFLICT takes columns only, no expressions", kKeyHint);
            keys_.push_back(quoted(element.name));
        }
        if (insert_.n_cols == 0)
            return refuse("INSERT … ON CONFLICT needs a list of columns here", "Write INSERT INTO t (a, b) …");
        for (std::size_t i = 0; i < insert_.n_cols; ++i) columns_.push_back(quoted(insert_.cols[i]->res_target->name));
        for (const std::string& key : keys_) {
            if (std::find(columns_.begin(), columns_.end(), key) == columns_.end())
                return refuse("the columns of ON CONFLICT must be among those that are inserted", "");
        }
        const ProtobufCMessage* const source = unwrap(insert_.select_stmt);
        if (!source || has_default(*source))
            return refuse("DEFAULT cannot stand beside ON CONFLICT here", "Leave the column out of the list.");
        return {};
    }

    const Token& token(std::size_t index) const { return draft_.tokens[index]; }

    std::size_t first_from(std::size_t offset) const {
        const auto found = std::lower_bound(draft_.tokens.begin(), draft_.tokens.end(), offset,
                                            [](const Token& one, std::size_t at) { return one.begin < at; });
        return static_cast<std::size_t>(found - draft_.tokens.begin());
    }

    std::size_t before(std::size_t offset) const { return first_from(offset) - 1; }

    // The next token of the kind that stands in no parentheses.
    std::size_t find(PgQuery__Token kind, std::size_t from) const {
        int depth = 0;
        std::size_t index = from;
        for (; index < draft_.tokens.size(); ++index) {
            const PgQuery__Token seen = draft_.tokens[index].kind;
            if (seen == PG_QUERY__TOKEN__ASCII_40) ++depth;
            if (seen == PG_QUERY__TOKEN__ASCII_41) --depth;
            if (depth == 0 && seen == kind) break;
        }
        return index;
    }

    std::size_t closing(std::size_t open) const { return find(PG_QUERY__TOKEN__ASCII_41, open); }

    std::size_t end_of_clause(std::size_t from) const {
        return std::min(find(PG_QUERY__TOKEN__RETURNING, from), find(PG_QUERY__TOKEN__ASCII_59, from));
    }

    std::string target() const {
        const PgQuery__RangeVar& relation = *insert_.relation;
        return quoted(relation.alias ? relation.alias->aliasname : relation.relname);
    }

    // From the end of the source to WHEN MATCHED.
    std::string condition(bool updates, std::size_t end) {
        std::vector<std::string> equal;
        std::vector<std::string> missing;
        for (const std::string& key : keys_) {
            equal.push_back(target() + "." + key + " = excluded." + key);
            missing.push_back(key + " IS NULL");
        }
        const std::string partition = " OVER (PARTITION BY " + joined(keys_, ", ") + ")";
        const std::string is_single =
            updates
                ? "CASE WHEN count(*)" + partition +
                      " > 1 THEN error('ON CONFLICT DO UPDATE command cannot affect row a second time') ELSE true END"
                : "row_number()" + partition + " = 1";
        std::string text = ") AS excluded(" + joined(columns_, ", ") + ") QUALIFY " + joined(missing, " OR ") + " OR " +
                           is_single + ") AS excluded ON (" + joined(equal, " AND ") + ")";
        if (!updates) return text;
        text += " WHEN MATCHED";
        if (clause_.where_clause) {
            // An inference clause may have a WHERE of its own, before DO.
            const std::size_t own = find(PG_QUERY__TOKEN__WHERE, find(PG_QUERY__TOKEN__SET, first_from(at_)));
            text +=
                " AND (" + std::string(draft_.text.substr(token(own).end, token(end - 1).end - token(own).end)) + ")";
            draft_.splices.remove(token(own).begin, token(end - 1).end);
        }
        return text + " THEN UPDATE SET";
    }

    std::string insertion() const {
        std::vector<std::string> values;
        for (const std::string& column : columns_) values.push_back("excluded." + column);
        return " WHEN NOT MATCHED THEN INSERT (" + joined(columns_, ", ") + ") VALUES (" + joined(values, ", ") + ")";
    }

    Draft& draft_;
    const PgQuery__InsertStmt& insert_;
    const PgQuery__OnConflictClause& clause_;
    std::size_t at_;
    std::vector<std::string> keys_;     // quoted
    std::vector<std::string> columns_;  // quoted
};

}  // namespace

Step rewrite_conflict(Draft& draft, const ProtobufCMessage& statement) {
    const auto* insert = as<PgQuery__InsertStmt>(&statement, pg_query__insert_stmt__descriptor);
    if (!insert || !insert->on_conflict_clause) return {};
    return Conflict(draft, *insert).rewrite();
}

}  // namespace boathouse::syntax
