// A text as PostgreSQL's own parser (libpg_query) reads it: its statements, and what each of them names.
//
// parse() answers with the statements, or with PostgreSQL's syntax error; then the text may still be in DuckDB's own
// grammar, which is for DuckDB to judge. Names are as PostgreSQL folds them (unquoted ones in lower case). Names of
// common table expressions and of columns are not relations. The text is a client's: its length and its nesting are
// bounded, so that the recursive parts of the parser fit on any thread's stack. Pure functions; any thread.
#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace boathouse::syntax {

constexpr std::size_t kTextBytesMax = std::size_t{256} * 1024;
constexpr std::size_t kNestingMax = 1000;

struct Relation {
    std::string catalog;  // empty where the text does not say it
    std::string schema;   // empty where the text does not say it
    std::string name;
    bool written = false;    // the target of INSERT, UPDATE, DELETE, MERGE, COPY FROM, TRUNCATE or DDL
    std::size_t offset = 0;  // in bytes from the beginning of the text
};

// A function, or a keyword that is one ("current_user", "current_timestamp").
struct Function {
    std::string schema;
    std::string name;
    std::size_t offset = 0;
};

// A type that a cast or a definition names: "regclass" of x::regclass. The schema is pg_catalog where PostgreSQL's
// grammar has a word of its own (int, varchar, timestamp …).
struct Type {
    std::string schema;
    std::string name;
    std::size_t offset = 0;
};

struct Statement {
    std::string_view kind;  // PostgreSQL's node tag: "SelectStmt", "InsertStmt", "CreateStmt"
    std::size_t begin = 0;  // of its first word, in bytes
    std::size_t end = 0;    // after its last character, without the semicolon
    std::vector<Relation> relations;
    std::vector<Function> functions;
    std::vector<Type> types;
    int parameters = 0;  // the highest n of its $n
};

struct ParseError {
    enum class Kind {
        syntax,  // PostgreSQL's parser does not take it
        limit,   // longer or deeper than what is parsed
    };
    Kind kind = Kind::syntax;
    std::string message;
    std::size_t offset = 0;  // in bytes; of the text's end for an error there
};

template <class T>
using Parsed = boost::system::result<T, ParseError>;

// Whether the text is short and flat enough to be parsed, by parse() or by libpg_query itself: its parser and printer
// recurse without a bound of their own.
bool is_within_limits(std::string_view text);

// Statements in the order of the text; none for one that holds only space and comments.
Parsed<std::vector<Statement>> parse(std::string_view text);

}  // namespace boathouse::syntax
