// An option's value: from text into Settings and back.
#include <algorithm>
#include <charconv>

#include "config/options.hpp"

namespace boathouse::config {
namespace {

Error malformed(std::string message) {
    return {.kind = ErrorKind::configuration, .message = std::move(message)};
}

Status set_number(const Option& option, const std::string& text, std::int64_t& field) {
    std::int64_t number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code == std::errc::invalid_argument || end != text.data() + text.size()) {
        return malformed("'" + text + "' is not a whole number");
    }
    if (code != std::errc() || number < option.min || number > option.max) {
        return malformed("'" + text + "' is not between " + std::to_string(option.min) + " and " +
                         std::to_string(option.max));
    }
    field = number;
    return {};
}

Status set_boolean(const std::string& text, bool& field) {
    if (text == "true" || text == "1" || text == "yes" || text == "on") {
        field = true;
    } else if (text == "false" || text == "0" || text == "no" || text == "off") {
        field = false;
    } else {
        return malformed("'" + text + "' is neither true nor false");
    }
    return {};
}

Status set_text(const Option& option, const std::string& text, std::string& field) {
    const auto& choices = option.choices;
    if (!choices.empty() && !text.empty() && std::find(choices.begin(), choices.end(), text) == choices.end()) {
        return malformed("'" + text + "' is not one of " + alternatives(choices));
    }
    if (text.find('\0') != std::string::npos) return malformed("the value holds a zero byte");
    if (option.check != nullptr) {
        if (auto checked = option.check(option, text); !checked) return checked;
    }
    field = text;
    return {};
}

Status set_secret(const std::string& text, Secret& field) {
    if (text.find('\0') != std::string::npos) return malformed("the value holds a zero byte");
    field = Secret(text);
    return {};
}

}  // namespace

bool is_secret(const Option& option) {
    return std::holds_alternative<Secret Settings::*>(option.member);
}
bool is_number(const Option& option) {
    return std::holds_alternative<std::int64_t Settings::*>(option.member);
}
bool is_boolean(const Option& option) {
    return std::holds_alternative<bool Settings::*>(option.member);
}

Status set_value(const Option& option, const std::string& text, Settings& settings) {
    if (const auto* member = std::get_if<std::int64_t Settings::*>(&option.member)) {
        return set_number(option, text, settings.**member);
    }
    if (const auto* member = std::get_if<bool Settings::*>(&option.member)) {
        return set_boolean(text, settings.**member);
    }
    if (const auto* member = std::get_if<Secret Settings::*>(&option.member)) {
        return set_secret(text, settings.**member);
    }
    return set_text(option, text, settings.*std::get<std::string Settings::*>(option.member));
}

std::string get_value(const Option& option, const Settings& settings) {
    if (const auto* member = std::get_if<std::int64_t Settings::*>(&option.member)) {
        return std::to_string(settings.**member);
    }
    if (const auto* member = std::get_if<bool Settings::*>(&option.member)) {
        return settings.**member ? "true" : "false";
    }
    if (const auto* member = std::get_if<Secret Settings::*>(&option.member)) {
        return (settings.**member).reveal();
    }
    return settings.*std::get<std::string Settings::*>(option.member);
}

std::string alternatives(const std::vector<std::string_view>& choices) {
    std::string out;
    for (std::size_t i = 0; i < choices.size(); ++i) {
        if (i > 0) out += i + 1 == choices.size() ? " or " : ", ";
        out += choices[i];
    }
    return out;
}

}  // namespace boathouse::config
