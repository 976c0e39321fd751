// The option table: one row for everything an operator may set.
//
// A row names the option's key (boathouse.toml, `config show`), its flag, its environment variables, the field of
// Settings that holds it, its default, its bounds, an example and its prose. Flags, --help, shell completion, the
// environment, the file, `config show`, docs/config.md and the hand-over to the engine are all made from these rows, so
// a new option is a field in settings.hpp and a row in options.cpp. The table is constant and safe from any thread.
// Whoever changes a row also runs `boathouse config docs > docs/config.md`; a test compares the two.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "config/settings.hpp"

namespace boathouse::config {

// Where in Settings the value lives; the alternative is the option's type.
using Member = std::variant<std::string Settings::*, Secret Settings::*, std::int64_t Settings::*, bool Settings::*>;

// What a text value is, for shells that complete it.
enum class Shape { text, file, directory };

// Whether a text has the form that its option wants. The error says what is wrong with it.
using Check = Status (*)(const struct Option& option, const std::string& text);

struct Option {
    std::string_view key;                       // "catalog_port"
    std::string_view flag;                      // "--catalog-port"; empty: none, because it is a secret
    std::vector<std::string_view> environment;  // the first that is set counts; the hand-over uses the first
    std::string_view group;                     // a heading of --help and docs/config.md
    Member member;
    std::string_view default_text = {};          // "" for none, or for one that is computed
    std::string_view default_note = {};          // the computed default, in words
    std::int64_t min = 0;                        // bounds of a number, both included
    std::int64_t max = 0;                        //
    std::vector<std::string_view> choices = {};  // of a text; empty: any
    Shape shape = Shape::text;                   //
    Check check = nullptr;                       // of a text, beyond the choices
    std::string_view form = {};                  // what `check` wants, in words; "" with no check
    std::string_view example;                    //
    std::string_view prose;                      // one or more sentences; the first is the line in --help
};

const std::vector<Option>& options();

// nullptr when there is no such option.
const Option* find_option(std::string_view key);

bool is_secret(const Option& option);
bool is_number(const Option& option);
bool is_boolean(const Option& option);

// Puts `text` into the option's field. The error's message says what is wrong with the value and never repeats a
// secret; naming the option and the place is the caller's part.
Status set_value(const Option& option, const std::string& text, Settings& settings);

// The field as text that set_value() reads back; a secret is revealed.
std::string get_value(const Option& option, const Settings& settings);

// "a, b or c"
std::string alternatives(const std::vector<std::string_view>& choices);

}  // namespace boathouse::config
