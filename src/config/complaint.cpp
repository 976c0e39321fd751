#include "config/complaint.hpp"

namespace boathouse::config {

Error as_error(const std::vector<Complaint>& complaints) {
    std::string names, reasons, invalid;
    for (const Complaint& complaint : complaints) {
        if (complaint.missing.empty()) {
            invalid += "\n  " + complaint.text;
        } else {
            names += (names.empty() ? "" : ", ") + complaint.missing;
            reasons += "\n  " + complaint.missing + ": " + complaint.text;
        }
    }
    std::string message;
    if (!names.empty()) message = "Missing required configuration: " + names + reasons;
    if (!invalid.empty()) message += (message.empty() ? "" : "\n") + ("Invalid configuration:" + invalid);
    return {.kind = ErrorKind::configuration,
            .message = std::move(message),
            .hint =
                "`boathouse config show` prints each value and where it comes from, "
                "`boathouse config docs` what each option means."};
}

}  // namespace boathouse::config
