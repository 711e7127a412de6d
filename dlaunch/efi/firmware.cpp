// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/efi/firmware.hpp"

#include "dlaunch/efi/memory_map.hpp"

#include <algorithm>
#include <cstring>

namespace casemate::efi {

namespace {

constexpr std::uint64_t memory_map_size = 64 * 1024; // UEFI maps have 100 to 200 entries of 48 bytes
constexpr int exit_attempts = 3;                     // the map may change between reading it and leaving

// Not const: the firmware's functions take EFI_GUID*.
EFI_GUID loaded_image_guid = LOADED_IMAGE_PROTOCOL;
EFI_GUID file_system_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
EFI_GUID file_info_guid = EFI_FILE_INFO_ID;
EFI_GUID tcg2_guid = {0x607f766c, 0x7455, 0x42be, {0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f}};

/// Room for \casemate\ and a name of a configuration, as the firmware wants it.
struct Path {
    CHAR16 text[64] = {};

    explicit Path(std::string_view name) {
        std::size_t at = 0;
        for (const std::string_view part : {std::string_view{"\\casemate\\"}, name})
            for (const char c : part)
                if (at + 1 < std::size(text)) text[at++] = static_cast<CHAR16>(c);
    }
};

template <typename Protocol>
Protocol* protocol_of(EFI_BOOT_SERVICES* services, EFI_HANDLE handle, EFI_GUID& guid) {
    void* found = nullptr;
    return EFI_ERROR(services->HandleProtocol(handle, &guid, &found)) ? nullptr : static_cast<Protocol*>(found);
}

} // namespace

Firmware::~Firmware() {
    for (std::size_t i = 0; i < allocation_count_; ++i)
        system_->BootServices->FreePages(allocations_[i].base, allocations_[i].pages);
}

void Firmware::say(std::string_view text) {
    CHAR16 buffer[3] = {};
    for (const char c : text) {
        std::size_t at = 0;
        if (c == '\n') buffer[at++] = '\r';
        buffer[at++] = static_cast<CHAR16>(c);
        buffer[at] = 0;
        system_->ConOut->OutputString(system_->ConOut, buffer);
    }
}

bool Firmware::has_tcg2() const {
    void* found = nullptr;
    return !EFI_ERROR(system_->BootServices->LocateProtocol(&tcg2_guid, nullptr, &found));
}

Result<HostRange, RefusalKind> Firmware::allocate(std::uint64_t size, std::uint64_t alignment, Placement placement) {
    if (allocation_count_ == allocations_.size()) return Failure{RefusalKind::no_memory};
    const std::uint64_t room = size + alignment - page_size; // a page-aligned block this large holds an aligned one
    const UINTN pages = (room + page_size - 1) / page_size;
    EFI_PHYSICAL_ADDRESS base = 0xbfffffff; // the highest address for AllocateMaxAddress
    const EFI_ALLOCATE_TYPE type = placement == Placement::anywhere ? AllocateAnyPages : AllocateMaxAddress;
    if (EFI_ERROR(system_->BootServices->AllocatePages(type, EfiLoaderData, pages, &base)))
        return Failure{RefusalKind::no_memory};
    allocations_[allocation_count_++] = {base, pages};
    const std::uint64_t aligned = (base + alignment - 1) / alignment * alignment;
    std::memset(reinterpret_cast<void*>(aligned), 0, size);
    return HostRange{{aligned}, size};
}

Result<EFI_FILE_HANDLE, Refusal> Firmware::open(std::string_view name) {
    EFI_BOOT_SERVICES* const services = system_->BootServices;
    auto* const self = protocol_of<EFI_LOADED_IMAGE>(services, image_, loaded_image_guid);
    auto* const volume =
        self == nullptr ? nullptr
                        : protocol_of<EFI_FILE_IO_INTERFACE>(services, self->DeviceHandle, file_system_guid);
    EFI_FILE_HANDLE root = nullptr;
    if (volume == nullptr || EFI_ERROR(volume->OpenVolume(volume, &root)))
        return Failure{Refusal{RefusalKind::file_unreadable, name}};
    EFI_FILE_HANDLE file = nullptr;
    const EFI_STATUS status = root->Open(root, &file, Path{name}.text, EFI_FILE_MODE_READ, 0);
    root->Close(root);
    if (status == EFI_NOT_FOUND) return Failure{Refusal{RefusalKind::file_missing, name}};
    if (EFI_ERROR(status)) return Failure{Refusal{RefusalKind::file_unreadable, name}};
    return file;
}

Result<HostRange, Refusal> Firmware::read_all(EFI_FILE_HANDLE file, std::string_view name, std::uint64_t most) {
    alignas(EFI_FILE_INFO) std::uint8_t buffer[SIZE_OF_EFI_FILE_INFO + 256 * sizeof(CHAR16)];
    UINTN size = sizeof buffer;
    if (EFI_ERROR(file->GetInfo(file, &file_info_guid, &size, buffer)))
        return Failure{Refusal{RefusalKind::file_unreadable, name}};
    const std::uint64_t file_size = reinterpret_cast<const EFI_FILE_INFO*>(buffer)->FileSize;
    if (file_size == 0 || file_size > most) return Failure{Refusal{RefusalKind::file_oversized, name}};
    const auto memory = allocate(file_size, page_size, Placement::anywhere);
    if (!memory.ok()) return Failure{Refusal{memory.error(), name}};
    UINTN count = file_size;
    const EFI_STATUS status = file->Read(file, &count, reinterpret_cast<void*>(memory.value().base.value));
    if (EFI_ERROR(status) || count != file_size) return Failure{Refusal{RefusalKind::file_unreadable, name}};
    return memory.value();
}

Result<HostRange, Refusal> Firmware::load(std::string_view name, std::uint64_t most) {
    EFI_FILE_HANDLE file = TRY(open(name));
    const auto loaded = read_all(file, name, most);
    file->Close(file);
    return loaded;
}

Result<std::span<launch::MemoryRange>, Refusal> Firmware::leave(std::span<launch::MemoryRange> out) {
    EFI_BOOT_SERVICES* const services = system_->BootServices;
    const auto buffer = allocate(memory_map_size, page_size, Placement::anywhere);
    if (!buffer.ok()) return Failure{Refusal{buffer.error(), "the memory map"}};
    auto* const map = reinterpret_cast<std::uint8_t*>(buffer.value().base.value);
    for (int i = 0; i < exit_attempts; ++i) {
        UINTN size = memory_map_size, key = 0, descriptor_size = 0;
        UINT32 version = 0;
        if (EFI_ERROR(services->GetMemoryMap(&size, reinterpret_cast<EFI_MEMORY_DESCRIPTOR*>(map), &key,
                                             &descriptor_size, &version)))
            return Failure{Refusal{RefusalKind::memory_map, "it cannot be read"}};
        const auto converted = convert_memory_map({map, size}, descriptor_size, out);
        if (!converted.ok()) return Failure{Refusal{RefusalKind::memory_map, "too many pieces"}};
        if (EFI_ERROR(services->ExitBootServices(image_, key))) continue;
        allocation_count_ = 0; // nobody can take them back any more
        return converted.value();
    }
    return Failure{Refusal{RefusalKind::memory_map, "it does not stop changing"}};
}

} // namespace casemate::efi
