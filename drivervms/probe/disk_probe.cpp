// SPDX-License-Identifier: Apache-2.0
// Implements disk_probe.hpp.
#include "drivervms/probe/disk_probe.hpp"

#include "drivervms/probe/aligned_buffer.hpp"
#include "drivervms/probe/digest.hpp"
#include "drivervms/probe/io.hpp"
#include "drivervms/probe/pattern.hpp"

#include <fcntl.h>

namespace casemate::probe {
namespace {

constexpr std::size_t chunk = 1024 * 1024;

void write_pattern(const std::string& device, std::uint64_t seed, DiskProof& proof) {
    const Descriptor disk{::open(device.c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC), device};
    const Stopwatch watch;
    AlignedBuffer buffer{chunk};
    Pattern pattern{seed};
    Digest digest;
    for (std::uint64_t done = 0; done < proof.bytes; done += chunk) {
        pattern.fill(buffer.bytes());
        digest.update(buffer.bytes());
        write_all(disk.get(), buffer.bytes());
    }
    if (::fsync(disk.get()) != 0) throw failed("flush " + device);
    proof.write_seconds = watch.seconds();
    proof.write_sha256 = digest.hex();
}

void read_back(const std::string& device, DiskProof& proof) {
    const Descriptor disk{::open(device.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC), device};
    const Stopwatch watch;
    AlignedBuffer buffer{chunk};
    Digest digest;
    for (std::uint64_t done = 0; done < proof.bytes;) {
        const std::size_t count = read_some(disk.get(), buffer.bytes());
        if (count == 0) throw std::runtime_error(device + " ends early");
        digest.update(buffer.bytes().first(count));
        done += count;
    }
    proof.read_seconds = watch.seconds();
    proof.read_sha256 = digest.hex();
}

} // namespace

DiskProof prove_disk(const std::string& device, std::uint64_t bytes, std::uint64_t seed) {
    if (bytes == 0 || bytes % chunk != 0) throw std::runtime_error("the size must be a multiple of 1 MiB");
    DiskProof proof;
    proof.bytes = bytes;
    write_pattern(device, seed, proof);
    read_back(device, proof);
    if (proof.read_sha256 != proof.write_sha256) throw std::runtime_error(device + " returned other bytes");
    return proof;
}

} // namespace casemate::probe
