// SPDX-License-Identifier: Apache-2.0
#include "drivervms/probe/secret.hpp"

#include "drivervms/probe/digest.hpp"
#include "drivervms/probe/io.hpp"

#include <chrono>
#include <cstdio>
#include <fcntl.h>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>

namespace casemate::probe {
namespace {

constexpr off_t mailbox_port = 0x614;
constexpr std::uint8_t nothing_there = 0xff;
constexpr std::chrono::milliseconds look_again{20};

class Mailbox {
public:
    std::uint8_t next() {
        std::uint8_t byte = 0;
        if (::pread(ports_.get(), &byte, 1, mailbox_port) != 1) throw failed("/dev/port");
        return byte;
    }
    std::string text(std::size_t size) {
        std::string bytes(size, '\0');
        for (char& each : bytes) each = static_cast<char>(next());
        return bytes;
    }

private:
    Descriptor ports_{::open("/dev/port", O_RDONLY | O_CLOEXEC), "/dev/port"};
};

std::uint8_t wait_for_name(Mailbox& mailbox, unsigned seconds) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{seconds};
    while (std::chrono::steady_clock::now() < give_up) {
        if (const std::uint8_t size = mailbox.next(); size != nothing_there) return size;
        std::this_thread::sleep_for(look_again);
    }
    throw std::runtime_error("no secret came");
}

std::string check_value(const std::string& secret) {
    Digest digest;
    for (const std::string& part : {std::string{"casemate check"}, secret})
        digest.update({reinterpret_cast<const std::uint8_t*>(part.data()), part.size()}); // SAFETY: char and std::uint8_t alias
    return digest.hex().substr(0, 6);
}

void store(const std::string& path, const std::string& secret) {
    const Descriptor file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400), path.c_str()};
    if (::write(file.get(), secret.data(), secret.size()) != static_cast<ssize_t>(secret.size())) throw failed(path.c_str());
}

} // namespace

void take_secret(const char* directory, unsigned seconds) {
    Mailbox mailbox;
    const std::string name = mailbox.text(wait_for_name(mailbox, seconds));
    if (name.find('/') != std::string::npos || name.starts_with('.')) throw std::runtime_error("a secret with a strange name");
    const std::string secret = mailbox.text(mailbox.next());
    store(std::string{directory} + "/" + name, secret);
    std::printf("CM_PROOF secret name=%s bytes=%zu check=%s\n", name.c_str(), secret.size(), check_value(secret).c_str());
}

} // namespace casemate::probe
