// SPDX-License-Identifier: Apache-2.0
// Disk measurements with O_DIRECT through the kernel's asynchronous I/O [io_submit(2)], by system call: a static
// program needs no library for it.
#include "drivervms/probe/bench.hpp"

#include "drivervms/probe/aligned_buffer.hpp"
#include "drivervms/probe/io.hpp"
#include "drivervms/probe/pattern.hpp"

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

namespace casemate::probe {
namespace {

constexpr std::size_t large = 1024 * 1024;
constexpr std::size_t small = 4096;
constexpr unsigned max_depth = 8;

enum class Way { read, write };

class Disk {
public:
    explicit Disk(const std::string& device)
        : fd_{::open(device.c_str(), O_RDWR | O_DIRECT | O_CLOEXEC), device} {
        if (::ioctl(fd_.get(), BLKGETSIZE64, &bytes_) != 0) throw failed("size of " + device);
    }
    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

private:
    Descriptor fd_;
    std::uint64_t bytes_ = 0;
};

/// As many I/Os in flight as its depth.
class Queue {
public:
    Queue() {
        if (::syscall(SYS_io_setup, max_depth, &context_) != 0) throw failed("io_setup");
    }
    ~Queue() { ::syscall(SYS_io_destroy, context_); }
    Queue(const Queue&) = delete;
    Queue& operator=(const Queue&) = delete;

    void submit(iocb& request) {
        iocb* list[] = {&request};
        if (::syscall(SYS_io_submit, context_, 1, list) != 1) throw failed("io_submit");
    }
    /// The number of the request that ended.
    std::size_t wait() {
        io_event event{};
        timespec limit{30, 0};
        if (::syscall(SYS_io_getevents, context_, 1, 1, &event, &limit) != 1) throw std::runtime_error("an I/O did not end");
        if (event.res != static_cast<std::int64_t>(small)) throw std::runtime_error("an I/O failed");
        return event.data;
    }

private:
    aio_context_t context_ = 0;
};

iocb request_for(const Disk& disk, Way way, std::size_t number, ByteSpan memory) {
    iocb request{};
    request.aio_data = number;
    request.aio_fildes = static_cast<std::uint32_t>(disk.fd());
    request.aio_lio_opcode = way == Way::read ? IOCB_CMD_PREAD : IOCB_CMD_PWRITE;
    request.aio_buf = reinterpret_cast<std::uint64_t>(memory.data());
    request.aio_nbytes = small;
    return request;
}

Measured random(const std::string& device, Way way, unsigned depth, std::uint64_t operations) {
    const Disk disk{device};
    AlignedBuffer buffer{max_depth * small};
    Queue queue;
    std::uint64_t seed = 4;
    iocb requests[max_depth];
    std::uint64_t started = 0;
    const auto start = [&](std::size_t number) {
        seed = seed * 6364136223846793005 + 1442695040888963407; // Knuth's MMIX generator
        requests[number].aio_offset = static_cast<std::int64_t>((seed >> 33) % (disk.bytes() / small) * small);
        queue.submit(requests[number]);
        ++started;
    };
    for (std::size_t i = 0; i < depth; ++i)
        requests[i] = request_for(disk, way, i, buffer.bytes().subspan(i * small, small));
    const Stopwatch watch;
    for (std::size_t i = 0; i < depth; ++i) start(i);
    for (std::uint64_t ended = 0; ended < operations; ++ended) {
        const std::size_t number = queue.wait();
        if (started < operations) start(number);
    }
    const double seconds = watch.seconds();
    return {static_cast<double>(operations) / seconds, seconds, operations};
}

Measured sequential(const std::string& device, Way way, std::uint64_t mebibytes) {
    const Disk disk{device};
    if (mebibytes * large > disk.bytes()) throw std::runtime_error(device + " is too small");
    AlignedBuffer buffer{large};
    Pattern{4}.fill(buffer.bytes());
    const Stopwatch watch;
    for (std::uint64_t i = 0; i < mebibytes; ++i) {
        const ssize_t count = way == Way::read ? ::read(disk.fd(), buffer.bytes().data(), large)
                                               : ::write(disk.fd(), buffer.bytes().data(), large);
        if (count != static_cast<ssize_t>(large)) throw failed("I/O on " + device);
    }
    if (way == Way::write && ::fsync(disk.fd()) != 0) throw failed("flush " + device);
    const double seconds = watch.seconds();
    return {static_cast<double>(mebibytes * large) * 1e-6 / seconds, seconds, mebibytes};
}

} // namespace

Measurements disk_measurements(const std::string& device) {
    const auto in_sequence = [device](Way way) {
        return [device, way](std::uint64_t mebibytes) { return sequential(device, way, mebibytes); };
    };
    const auto at_random = [device](Way way, unsigned depth) {
        return [device, way, depth](std::uint64_t operations) { return random(device, way, depth, operations); };
    };
    return {{"idle", measure_idle},
            {"sequential_write", in_sequence(Way::write)},
            {"sequential_read", in_sequence(Way::read)},
            {"random_read", at_random(Way::read, 1)},
            {"random_write", at_random(Way::write, 1)},
            {"random_read_deep", at_random(Way::read, max_depth)},
            {"random_write_deep", at_random(Way::write, max_depth)}};
}

} // namespace casemate::probe
