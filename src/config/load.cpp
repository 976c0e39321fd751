#include "config/load.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/checks.hpp"
#include "config/file.hpp"
#include "config/options.hpp"
#include "config/suggestion.hpp"

namespace boathouse::config {
namespace {

using Texts = std::map<std::string, std::string>;

constexpr const char* kDefaultFile = "/etc/boathouse/boathouse.toml";
constexpr const char* kResolved = "BOATHOUSE_RESOLVED";
constexpr std::streamsize kPasswordBytesMax = 1024;

std::string text_or_empty(const Texts& texts, const std::string& name) {
    const auto found = texts.find(name);
    return found == texts.end() ? "" : found->second;
}

class Loader {
  public:
    Loader(const Texts& flags, const Texts& environment) : flags_(flags), environment_(environment) {}

    Reading run();

  private:
    struct Given {
        std::string text;
        std::string origin;
    };

    bool resolved() const { return environment_.count(kResolved) > 0; }
    void read_file_values();
    void note_policy_places();
    void take_over_origins();
    void set(const Option& option);
    Given find(const Option& option) const;
    std::string default_of(const Option& option) const;
    void make_absolute(const Option& option);
    void read_password_file();
    void choose_url_style();
    void warn_of_unknown_variables();
    void unfit(std::string text) { out_.unfit.push_back({"", std::move(text)}); }

    const Texts& flags_;
    const Texts& environment_;
    std::map<std::string, FileValue> file_;
    Reading out_;
};

Reading Loader::run() {
    set(*find_option("config_file"));
    if (!resolved()) read_file_values();
    for (const Option& option : options()) {
        if (option.key != "config_file") set(option);
    }
    if (resolved()) {
        take_over_origins();
        return std::move(out_);
    }
    note_policy_places();
    read_password_file();
    choose_url_style();
    warn_of_unknown_variables();
    const Settings& settings = out_.loaded.settings;
    if (settings.data_dir.empty()) {
        out_.malformed.push_back({"data_dir",
                                  "neither HOME nor XDG_DATA_HOME says where the default would be; "
                                  "give --data-dir or BOATHOUSE_DATA_DIR"});
    }
    check(settings, out_.loaded.origins, out_.unfit);
    return std::move(out_);
}

void Loader::read_file_values() {
    std::string& path = out_.loaded.settings.config_file;
    if (path.empty() && ::access(kDefaultFile, R_OK) == 0) {
        path = kDefaultFile;
        out_.loaded.origins["config_file"] = "default";
    }
    if (!path.empty()) file_ = read_file(path, out_.malformed);
}

// Where the file's sections count, its entries have places of their own.
void Loader::note_policy_places() {
    const auto list = file_.find("policy");
    if (list == file_.end() || out_.loaded.origins["policy"] != list->second.place) return;
    for (const auto& [key, value] : file_) {
        if (key.starts_with("policy.")) out_.loaded.origins[key] = value.place;
    }
}

// Stores other than Amazon S3 have, as a rule, no host name for each bucket.
void Loader::choose_url_style() {
    Settings& settings = out_.loaded.settings;
    if (settings.s3_url_style.empty()) settings.s3_url_style = settings.s3_endpoint.empty() ? "vhost" : "path";
}

void Loader::take_over_origins() {
    Origins& origins = out_.loaded.origins;
    for (auto& [key, origin] : origins) origin = "default";
    std::istringstream lines(text_or_empty(environment_, kResolved));
    for (std::string line; std::getline(lines, line);) {
        const auto tab = line.find('\t');
        if (tab != std::string::npos) origins[line.substr(0, tab)] = line.substr(tab + 1);
    }
}

Loader::Given Loader::find(const Option& option) const {
    const std::string key(option.key);
    if (const auto flag = flags_.find(key); flag != flags_.end()) {
        return {flag->second, "flag " + std::string(option.flag)};
    }
    for (const std::string_view variable : option.environment) {
        const std::string text = text_or_empty(environment_, std::string(variable));
        if (!text.empty()) return {text, "environment " + std::string(variable)};
    }
    if (const auto value = file_.find(key); value != file_.end()) return {value->second.text, value->second.place};
    return {default_of(option), "default"};
}

std::string Loader::default_of(const Option& option) const {
    if (option.key != "data_dir") return std::string(option.default_text);
    if (::geteuid() == 0) return "/var/lib/boathouse";
    const std::string data_home = text_or_empty(environment_, "XDG_DATA_HOME");
    if (!data_home.empty() && data_home.front() == '/') return data_home + "/boathouse";
    const std::string home = text_or_empty(environment_, "HOME");
    return !home.empty() && home.front() == '/' ? home + "/.local/share/boathouse" : "";
}

void Loader::set(const Option& option) {
    const std::string key(option.key);
    const Given given = find(option);
    out_.loaded.origins[key] = given.origin;
    const Status status = set_value(option, given.text, out_.loaded.settings);
    if (!status) {
        out_.malformed.push_back({"", key + " (" + given.origin + "): " + status.error().message});
        // What a bad value would have said is unknown; the default keeps the other checks meaningful.
        (void)set_value(option, default_of(option), out_.loaded.settings);
        return;
    }
    make_absolute(option);
}

// The box changes its user and its directory; a path means what it meant to the one who gave it.
void Loader::make_absolute(const Option& option) {
    if (option.shape == Shape::text) return;
    std::string& path = out_.loaded.settings.*std::get<std::string Settings::*>(option.member);
    if (path.empty() || path.find("://") != std::string::npos) return;
    std::error_code failed;
    const auto absolute = std::filesystem::absolute(path, failed);
    if (!failed) path = absolute.lexically_normal().string();
}

void Loader::read_password_file() {
    Settings& settings = out_.loaded.settings;
    auto& origins = out_.loaded.origins;
    const std::string& path = settings.postgres_password_file;
    if (path.empty()) return;
    const std::string place = "postgres_password_file (" + origins["postgres_password_file"] + "): ";
    if (!settings.postgres_password.empty()) {
        unfit(place + "postgres_password is given too (" + origins["postgres_password"] +
              "): leave out one of the two");
        return;
    }
    std::ifstream stream(path, std::ios::binary);
    std::string text(kPasswordBytesMax + 1, '\0');
    stream.read(text.data(), kPasswordBytesMax + 1);
    if (!stream.is_open() || stream.bad()) {
        unfit(place + path + " cannot be read: " + std::strerror(errno));
        return;
    }
    text.resize(static_cast<std::size_t>(stream.gcount()));
    if (text.size() > kPasswordBytesMax) {
        unfit(place + path + " is longer than " + std::to_string(kPasswordBytesMax) + " bytes");
        return;
    }
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    if (text.empty()) {
        unfit(place + path + " is empty; the password belongs in it");
        return;
    }
    const Status status = set_value(*find_option("postgres_password"), text, settings);
    if (!status) unfit(place + path + ": " + status.error().message);
    origins["postgres_password"] = path;
}

// Kubernetes describes a service named "boathouse" to its pods in variables of its own.
bool is_service_link(const std::string& variable) {
    return variable.rfind("BOATHOUSE_SERVICE_", 0) == 0 || variable == "BOATHOUSE_PORT" ||
           variable.rfind("BOATHOUSE_PORT_", 0) == 0;
}

void Loader::warn_of_unknown_variables() {
    std::vector<std::string> known = {kResolved, "BOATHOUSE_NOTIFY_FD"};
    for (const Option& option : options())
        known.insert(known.end(), option.environment.begin(), option.environment.end());
    for (const auto& [name, text] : environment_) {
        if (name.rfind("BOATHOUSE_", 0) != 0 || is_service_link(name)) continue;
        if (std::find(known.begin(), known.end(), name) != known.end()) continue;
        out_.loaded.warnings.push_back("the environment variable " + name + " means nothing to Boathouse" +
                                       did_you_mean(name, known));
    }
}

}  // namespace

std::vector<Complaint> Reading::complaints() const {
    std::vector<Complaint> out = malformed;
    out.insert(out.end(), unfit.begin(), unfit.end());
    return out;
}

Reading read(const Texts& flags, const Texts& environment) {
    return Loader(flags, environment).run();
}

Result<Loaded> load(const Texts& flags, const Texts& environment) {
    Reading reading = read(flags, environment);
    const auto complaints = reading.complaints();
    if (!complaints.empty()) return as_error(complaints);
    return std::move(reading.loaded);
}

std::map<std::string, std::string> process_environment() {
    Texts out;
    for (char** entry = ::environ; *entry != nullptr; ++entry) {
        if (const char* equals = std::strchr(*entry, '='))
            out.emplace(std::string(*entry, static_cast<std::size_t>(equals - *entry)), equals + 1);
    }
    return out;
}

std::vector<std::pair<std::string, std::string>> to_environment(const Settings& settings, const Origins& origins) {
    std::string told = "1";
    for (const auto& [key, origin] : origins) {
        if (origin != "default") told.append("\n").append(key).append("\t").append(origin);
    }
    std::vector<std::pair<std::string, std::string>> out = {{kResolved, told}};
    for (const Option& option : options()) {
        const std::string text = get_value(option, settings);
        if (!text.empty()) out.emplace_back(option.environment.front(), text);
    }
    return out;
}

}  // namespace boathouse::config
