#include "engine/scrubber.hpp"

#include <algorithm>
#include <regex>

namespace boathouse::engine {
namespace {

// Shorter values would take ordinary words out of every message.
constexpr std::size_t kShortestSecret = 4;

}  // namespace

Scrubber::Scrubber(const config::Settings& settings, const catalog::Endpoint& catalog) {
    const auto hide = [this](const std::string& value, const std::string& by) {
        if (value.size() >= kShortestSecret) replacements_.emplace_back(value, by);
    };
    hide(settings.postgres_password.reveal(), "***");
    hide(settings.catalog.reveal(), "***");
    hide(catalog.password.reveal(), "***");
    hide(settings.aws_secret_access_key.reveal(), "***");
    hide(settings.aws_session_token.reveal(), "***");
    const std::string& key = settings.aws_access_key_id.reveal();
    if (key.size() > 2 * kShortestSecret) hide(key, "***" + key.substr(key.size() - 4));
    for (const std::string& directory : {settings.data_dir, settings.data_path}) {
        if (directory.size() > 1 && directory.front() == '/')
            directories_.push_back(directory.back() == '/' ? directory : directory + '/');
    }
    std::sort(replacements_.begin(), replacements_.end(),
              [](const auto& left, const auto& right) { return left.first.size() > right.first.size(); });
}

std::string Scrubber::for_client(const std::string& text) const {
    std::string shown = (*this)(text);
    for (const std::string& directory : directories_) {
        for (auto at = shown.find(directory); at != std::string::npos; at = shown.find(directory, at))
            shown.erase(at, directory.size());
    }
    return shown;
}

std::string Scrubber::operator()(std::string text) const {
    for (const auto& [what, by] : replacements_) {
        for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
            text.replace(at, what.size(), by);
        }
    }
    static const std::regex kAssignment(R"re(\b(password|secret|token)(\s*[=:]\s*)('[^']*'|"[^"]*"|[^\s'",;)]+))re",
                                        std::regex::icase);
    return std::regex_replace(text, kAssignment, "$1$2***");
}

}  // namespace boathouse::engine
