// The engine's word to the supervisor, and the supervisor's to systemd: the sd_notify protocol
// (https://www.freedesktop.org/software/systemd/man/sd_notify.html), newline-separated KEY=VALUE in one datagram.
//
// The supervisor hands the engine one end of a socket pair, its number in BOATHOUSE_NOTIFY_FD. Keys in use: READY=1,
// STATUS=text, STOPPING=1, BOATHOUSE_FAILED=text (why the engine is about to exit).
// Sending never blocks and never fails its caller: without a listener it does nothing.
#pragma once

#include <string>

namespace boathouse {

// To the supervisor, from the engine.
void notify_supervisor(const std::string& state);

// To the service manager named by NOTIFY_SOCKET.
void notify_service_manager(const std::string& state);

}  // namespace boathouse
