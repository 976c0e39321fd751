// A statement in PostgreSQL's spelling, rewritten where DuckDB's parser lacks it or would read something else into it.
//
// The statement stays the client's own text; only the places that differ are replaced, found by PostgreSQL's parse tree
// and tokens, so that an error's position can be told in the client's text (Rewritten::positions). One family of
// spellings has one file: operator_spelling.cpp, string_spelling.cpp, locking_clause.cpp, table_definition.cpp,
// conflict_clause.cpp, several_objects.cpp, type_spelling.cpp, explain_options.cpp, sample_clause.cpp,
// unneeded_statement.cpp, missing_statement.cpp. What only DuckDB's grammar takes passes, but for the operators. Pure
// functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "syntax/parse_tree.hpp"
#include "syntax/splice.hpp"

namespace boathouse::syntax {

struct Notice {
    bool is_warning = false;
    std::string sqlstate = "00000";
    std::string message;
};

// What cannot be had, told before DuckDB sees the statement.
struct Refusal {
    std::string sqlstate;
    std::string message;
    std::string hint;
    std::size_t offset = 0;  // in the client's text, in bytes
};

struct Rewritten {
    std::string text;
    PositionMap positions;
    std::vector<Notice> notices;
    // PostgreSQL's names for the columns of the outermost SELECT, in its order; empty where the column has a name, or
    // stands for several. No names at all: the statement is no SELECT, or not in PostgreSQL's grammar.
    std::vector<std::string> column_names;
    // Not empty: the command tag, where it is not that of the statement that `text` has become ("INSERT" for a MERGE).
    std::string tag;
    // Not empty: nothing is to be done, and this is the answer's command tag.
    std::string done;
    // PostgreSQL's parser takes the statement; not known of an INSERT, UPDATE or DELETE that needed no tree.
    bool is_postgres = false;
    // It may not run in a transaction block.
    bool is_alone = false;
    // `text` is several statements, to be run as one.
    bool is_several = false;
};

template <class T>
using Rewriting = boost::system::result<T, Refusal>;

Rewriting<Rewritten> rewrite(std::string_view statement);

}  // namespace boathouse::syntax
