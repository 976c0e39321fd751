#include "cli/password_input.hpp"

#include <termios.h>
#include <unistd.h>

#include <iostream>
#include <iterator>

#include "base/file.hpp"
#include "supervisor/password.hpp"

namespace boathouse::cli {
namespace {

// Turns the terminal's echo off while it lives.
class Silence {
  public:
    Silence() {
        ::tcgetattr(STDIN_FILENO, &before_);
        termios quiet = before_;
        quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
    ~Silence() { ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_); }
    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;

  private:
    termios before_{};
};

std::string ask(const std::string& question) {
    const Silence silence;
    std::cerr << question << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    std::cerr << "\n";
    return answer;
}

Result<Secret> from_person(const std::string& user) {
    const std::string password = ask("Password for " + user + " (empty: generate one): ");
    if (password.empty()) return supervisor::random_password();
    if (ask("Once more: ") == password) return Secret(password);
    return Error{.kind = ErrorKind::configuration, .message = "the two passwords differ; nothing was changed"};
}

Result<Secret> from_file(const std::string& path) {
    Result<std::string> text =
        path == "-" ? std::string(std::istreambuf_iterator<char>(std::cin), {}) : read_file(path);
    if (!text) return text.error();
    while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
    if (!text->empty()) return Secret(*text);
    return Error{.kind = ErrorKind::configuration,
                 .message = "the password in " + (path == "-" ? std::string("standard input") : path) + " is empty"};
}

}  // namespace

Result<PasswordInput> read_password(const PasswordSource& source, const std::string& user) {
    const bool from_terminal = source.file.empty() && !source.generate && ::isatty(STDIN_FILENO) == 1;
    auto password = !source.file.empty() ? from_file(source.file)
                    : from_terminal      ? from_person(user)
                                         : supervisor::random_password();
    if (!password) return password.error();
    // At the terminal, an empty answer asked for a generated one; it is shown like any other.
    return PasswordInput{.password = *password, .is_generated = source.file.empty()};
}

}  // namespace boathouse::cli
