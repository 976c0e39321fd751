#include "config/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

#include "config/catalog_url.hpp"
#include "config/options.hpp"
#include "config/suggestion.hpp"

namespace boathouse::config {
namespace {

constexpr std::streamsize kFileBytesMax = 1 << 20;

std::vector<std::string> known_keys() {
    std::vector<std::string> keys;
    for (const Option& option : options()) {
        if (option.key != "config_file") keys.emplace_back(option.key);
    }
    return keys;
}

const char* wanted_type(const Option& option) {
    if (is_number(option)) return "a whole number";
    if (is_boolean(option)) return "true or false";
    return "a text in quotes";
}

// The node as the option's text, or nullopt when it has another type than the option.
std::optional<std::string> as_text(const Option& option, const toml::node& node) {
    if (is_number(option)) {
        if (const auto* number = node.as_integer()) return std::to_string(number->get());
    } else if (is_boolean(option)) {
        if (const auto* boolean = node.as_boolean()) return boolean->get() ? "true" : "false";
    } else if (const auto* text = node.as_string()) {
        return text->get();
    }
    return std::nullopt;
}

void read_entry(const std::string& path, std::string_view key, const toml::node& node,
                std::map<std::string, FileValue>& values, std::vector<Complaint>& complaints) {
    const std::string place = path + ":" + std::to_string(node.source().begin.line);
    const Option* option = find_option(key);
    if (option == nullptr || key == "config_file") {
        const std::string name(key);
        complaints.push_back(
            {"", place + ": " +
                     (node.is_table() ? "[" + name + "] is a section; settings are plain keys without sections"
                                      : "unknown key " + name + did_you_mean(name, known_keys()))});
        return;
    }
    const auto text = as_text(*option, node);
    if (!text) {
        complaints.push_back({"", place + ": " + std::string(key) + " must be " + wanted_type(*option)});
        return;
    }
    values[std::string(key)] = {*text, place};
}

// Whether the value must stay private. A catalog's URL need not hold a password.
bool holds_secret(const Option& option, const std::string& text) {
    if (option.key == "catalog") return has_password(text);
    return is_secret(option) && !text.empty();
}

}  // namespace

std::map<std::string, FileValue> read_file(const std::string& path, std::vector<Complaint>& complaints) {
    std::map<std::string, FileValue> values;
    struct stat status {};
    std::ifstream stream(path, std::ios::binary);
    if (!stream || ::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
        const std::string reason = S_ISDIR(status.st_mode) ? "is a directory" : std::strerror(errno);
        complaints.push_back({"", "the configuration file " + path + " cannot be read: " + reason});
        return values;
    }
    if (status.st_size > kFileBytesMax) {
        complaints.push_back({"", "the configuration file " + path + " is larger than 1 MB"});
        return values;
    }
    toml::table table;
    try {
        table = toml::parse(stream, path);
    } catch (const toml::parse_error& error) {
        const auto& begin = error.source().begin;
        complaints.push_back({"", path + ":" + std::to_string(begin.line) + ":" + std::to_string(begin.column) + ": " +
                                      std::string(error.description())});
        return values;
    }
    for (const auto& [key, node] : table) read_entry(path, key.str(), node, values, complaints);
    if ((status.st_mode & 077) == 0) return values;
    for (const auto& [key, value] : values) {
        if (!holds_secret(*find_option(key), value.text)) continue;
        complaints.push_back({"", value.place + ": " + key + " is a secret, and others than the owner may read the " +
                                      "file: chmod 600 " + path});
    }
    return values;
}

std::string file_text(const Settings& settings, const std::vector<std::string_view>& keys) {
    toml::table table;
    for (const std::string_view key : keys) {
        const Option& option = *find_option(key);
        const std::string text = get_value(option, settings);
        if (text.empty()) continue;
        if (is_number(option)) {
            table.insert(key, std::stoll(text));
        } else if (is_boolean(option)) {
            table.insert(key, text == "true");
        } else {
            table.insert(key, text);
        }
    }
    std::ostringstream out;
    out << table << "\n";
    return out.str();
}

}  // namespace boathouse::config
