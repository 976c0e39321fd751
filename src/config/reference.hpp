// docs/config.md, made from the option table.
#pragma once

#include <string>

namespace boathouse::config {

// The page as Markdown. `boathouse config docs` prints it; a test compares it with the committed one.
std::string reference_page();

}  // namespace boathouse::config
