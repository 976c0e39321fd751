#include "http/exposition.hpp"

#include <spdlog/fmt/fmt.h>

namespace boathouse::http {
namespace {

std::string escaped(std::string_view value) {
    std::string text;
    for (const char character : value) {
        if (character == '\\' || character == '"') text += '\\';
        text += character == '\n' ? std::string("\\n") : std::string(1, character);
    }
    return text;
}

}  // namespace

void Exposition::gauge(std::string_view name, std::string_view help, double value, Labels labels) {
    sample("gauge", name, help, value, labels);
}

void Exposition::counter(std::string_view name, std::string_view help, double value, Labels labels) {
    sample("counter", name, help, value, labels);
}

void Exposition::sample(std::string_view type, std::string_view name, std::string_view help, double value,
                        Labels labels) {
    if (current_ != name) {
        text_ += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
        current_ = name;
    }
    text_ += name;
    std::string list;
    for (const auto& [label, text] : labels)
        list += fmt::format("{}{}=\"{}\"", list.empty() ? "" : ",", label, escaped(text));
    if (!list.empty()) text_ += "{" + list + "}";
    text_ += fmt::format(" {}\n", value);
}

}  // namespace boathouse::http
