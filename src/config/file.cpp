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

#include "base/log.hpp"
#include "config/catalog_url.hpp"
#include "config/options.hpp"
#include "config/policy.hpp"
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
    if (const PolicyRow* row = find_policy(option.key)) return policy_example(row->kind);
    return "a text in quotes";
}

// A policy's value may be a number or a text.
std::optional<std::string> policy_text(const toml::node& node) {
    if (const auto* number = node.as_integer()) return std::to_string(number->get());
    if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
    if (const auto* text = node.as_string()) return text->get();
    return std::nullopt;
}

// The node as the option's text, or nullopt when it has another type than the option.
std::optional<std::string> as_text(const Option& option, const toml::node& node) {
    if (is_number(option)) {
        if (const auto* number = node.as_integer()) return std::to_string(number->get());
    } else if (is_boolean(option)) {
        if (const auto* boolean = node.as_boolean()) return boolean->get() ? "true" : "false";
    } else if (find_policy(option.key) != nullptr) {
        return policy_text(node);
    } else if (const auto* text = node.as_string()) {
        return text->get();
    }
    return std::nullopt;
}

std::string place_of(const std::string& path, const toml::node& node) {
    return path + ":" + std::to_string(node.source().begin.line);
}

// What stands in the sections below [policy].
class PolicySections {
  public:
    PolicySections(const std::string& path, std::map<std::string, FileValue>& values,
                   std::vector<Complaint>& complaints)
        : path_(path), values_(values), complaints_(complaints) {}

    void read(const toml::node& node) {
        const toml::table* sections = node.as_table();
        if (sections == nullptr) return complain(node, "policy is no key but sections: [policy.\"sales.orders\"]");
        for (const auto& [name, section] : *sections) read_section(std::string(name.str()), section);
        if (!settings_.empty()) values_["policy"] = {to_policy_list(settings_), place_of(path_, node)};
    }

  private:
    void complain(const toml::node& node, const std::string& text) {
        complaints_.push_back({"", place_of(path_, node) + ": " + text});
    }

    void read_section(const std::string& name, const toml::node& node) {
        const toml::table* section = node.as_table();
        if (section == nullptr) {
            const bool is_known = find_policy(name) != nullptr;
            return complain(node, name + " stands in [policy] itself, which is for no schema and no table: " +
                                      (is_known ? "what is for the whole lake belongs above all sections"
                                                : "write [policy.sales] or [policy.\"sales.orders\"]"));
        }
        const auto scope = parse_scope(name);
        if (!scope) {
            return complain(node, "[policy." + name + "] names neither a schema nor a table: [policy.sales], " +
                                      "[policy.\"sales.orders\"], and a name with a dot in double quotes, " +
                                      "[policy.'\"my.schema\".orders']");
        }
        for (const auto& [key, value] : *section)
            read_policy(name, {.key = std::string(key.str()), .scope = *scope}, value);
    }

    void read_policy(const std::string& section, PolicySetting setting, const toml::node& node) {
        if (node.is_table()) {
            return complain(node, "[policy." + section + "." + setting.key + "] is one section too deep: a table is " +
                                      "[policy.\"" + section + "." + setting.key + "\"]");
        }
        const PolicyRow* row = find_policy(setting.key);
        const auto text = policy_text(node);
        if (row != nullptr && !text) return complain(node, setting.key + " must be " + policy_example(row->kind));
        setting.value = text.value_or("off");
        if (const auto checked = check_policy(setting); !checked) {
            const Error& error = checked.error();
            return complain(node,
                            "[policy." + section + "] " + error.message + (row == nullptr ? "" : ". " + error.hint));
        }
        values_[policy_origin_key(setting)] = {*text, place_of(path_, node)};
        settings_.push_back(std::move(setting));
    }

    const std::string& path_;
    std::map<std::string, FileValue>& values_;
    std::vector<Complaint>& complaints_;
    std::vector<PolicySetting> settings_;
};

void read_entry(const std::string& path, std::string_view key, const toml::node& node,
                std::map<std::string, FileValue>& values, std::vector<Complaint>& complaints) {
    const std::string place = place_of(path, node);
    if (key == "policy") return PolicySections(path, values, complaints).read(node);
    const Option* option = find_option(key);
    if (option == nullptr || key == "config_file") {
        const std::string name(key);
        complaints.push_back(
            {"", place + ": " +
                     (node.is_table() ? "[" + name + "] is a section; settings are plain keys, but for [policy.…]"
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
        const Option* option = find_option(key);  // none for a policy section's entry
        if (option == nullptr || !holds_secret(*option, value.text)) continue;
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
