// The families of spellings that rewrite() asks one after the other.
//
// Each looks at the statement's tokens or at its tree and adds to the draft what is to change. Private to src/syntax/.
#pragma once

#include "syntax/rewrite.hpp"
#include "syntax/tree.hpp"

namespace boathouse::syntax {

struct Draft {
    std::string_view text;
    const std::vector<Token>& tokens;
    Splices splices;
    std::vector<Notice> notices;
    std::string tag;
    std::string done;
    bool is_several = false;
    bool is_alone = false;

    std::string_view word(const Token& token) const { return text.substr(token.begin, token.end - token.begin); }
};

using Step = boost::system::result<void, Refusal>;

// By tokens alone: holds for DuckDB's grammar too.
Step rewrite_operators(Draft& draft);
Step rewrite_strings(Draft& draft);

// By the tree of the one statement; for EXPLAIN, of what it explains.
void rewrite_explain(Draft& draft, const ProtobufCMessage& explain);
bool holds_reserved_names(const Draft& draft);
Step rewrite_names(Draft& draft, const ProtobufCMessage& statement);
bool names_catalog(const Draft& draft);
Step rewrite_types(Draft& draft, const ProtobufCMessage& statement);
Step rewrite_samples(Draft& draft, const ProtobufCMessage& statement);
Step rewrite_locking(Draft& draft, const ProtobufCMessage& statement);
Step rewrite_table_definition(Draft& draft, const ProtobufCMessage& statement);
Step rewrite_conflict(Draft& draft, const ProtobufCMessage& statement);
Step find_unneeded(Draft& draft, const ProtobufCMessage& statement);
Step refuse_missing(Draft& draft, const ProtobufCMessage& statement);
Step split_several(Draft& draft, const ProtobufCMessage& statement);

std::vector<std::string> name_columns(const ProtobufCMessage& statement);

}  // namespace boathouse::syntax
