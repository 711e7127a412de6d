/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least UEFI application that executes SKINIT. It first does so wrongly, in each way that can be told from
 * inside the guest, and prints which exception came; the last attempt is a good one and does not come back.
 * The secure loader block (slb.S) is built into it. Run by casemate-model-test.
 *
 *   @launcher attempt=<name> fault=<vector, -1 for none>
 */
#include <efi.h>
#include <efilib.h>

#include "mp_services.h"

enum { slb_region = 64 * 1024, undefined_opcode = 6, general_protection = 13 };

extern const UINT8 slb_image[], slb_image_end[];
extern const UINT8 note_undefined_opcode[], note_general_protection[];
INT32 last_fault; /* written by the two handlers in stubs.S */

static volatile BOOLEAN release_processors;

struct gate {
    UINT16 offset_low, selector, attributes, offset_middle;
    UINT32 offset_high, zero;
};

static void set_handler(unsigned vector, const UINT8* handler) {
    struct __attribute__((packed)) { UINT16 limit; struct gate* gates; } idt;
    const UINTN address = (UINTN)handler;
    __asm__ volatile("sidt %0" : "=m"(idt));
    idt.gates[vector].offset_low = (UINT16)address;
    idt.gates[vector].offset_middle = (UINT16)(address >> 16);
    idt.gates[vector].offset_high = (UINT32)(address >> 32);
}

static void set_svme(BOOLEAN on) {
    UINT32 low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0xC0000080));
    low = on ? low | 1 << 12 : low & ~(UINT32)(1 << 12);
    __asm__ volatile("wrmsr" : : "a"(low), "d"(high), "c"(0xC0000080));
}

static void attempt(CHAR16* name, UINTN eax) {
    last_fault = -1;
    __asm__ volatile("cli; .byte 0x0F, 0x01, 0xDE; sti" : "+a"(eax) : : "memory");
    Print(L"@launcher attempt=%s fault=%d\n", name, last_fault);
}

static void EFIAPI spin(void* argument) {
    (void)argument;
    while (!release_processors) __asm__ volatile("pause");
}

static void attempt_beside_running_processor(UINTN slb) {
    EFI_GUID guid = MP_SERVICES_GUID;
    struct mp_services* services;
    EFI_EVENT done;
    uefi_call_wrapper(BS->LocateProtocol, 3, &guid, NULL, (void**)&services);
    uefi_call_wrapper(BS->CreateEvent, 5, 0, TPL_APPLICATION, NULL, NULL, &done);
    uefi_call_wrapper(services->startup_all_aps, 7, services, spin, FALSE, done, (UINTN)0, NULL, NULL);
    uefi_call_wrapper(BS->Stall, 1, 50000);
    attempt(L"running-processor", slb);
    release_processors = TRUE;
    uefi_call_wrapper(BS->Stall, 1, 50000);
}

static void attempt_with_header(CHAR16* name, UINT16* header, UINT16 entry, UINT16 length) {
    const UINT16 saved[] = {header[0], header[1]};
    header[0] = entry;
    header[1] = length;
    attempt(name, (UINTN)header);
    header[0] = saved[0];
    header[1] = saved[1];
}

static UINT8* load_slb(void) {
    EFI_PHYSICAL_ADDRESS memory = 0x7FFFFFFF; /* anywhere below */
    if (uefi_call_wrapper(BS->AllocatePages, 4, AllocateMaxAddress, EfiLoaderData, 2 * slb_region / 4096, &memory)
        != EFI_SUCCESS)
        return NULL;
    UINT8* slb = (UINT8*)((memory + slb_region - 1) & ~(EFI_PHYSICAL_ADDRESS)(slb_region - 1));
    CopyMem(slb, (void*)slb_image, slb_image_end - slb_image);
    return slb;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE* system) {
    InitializeLib(image, system);
    UINT8* slb = load_slb();
    if (!slb) return EFI_OUT_OF_RESOURCES;
    UINT16* header = (UINT16*)slb;
    set_handler(undefined_opcode, note_undefined_opcode);
    set_handler(general_protection, note_general_protection);
    set_svme(FALSE);
    attempt(L"no-svme", (UINTN)slb);
    set_svme(TRUE);
    attempt_with_header(L"no-length", header, header[0], 0);
    attempt_with_header(L"entry-outside", header, header[1], header[1]);
    attempt_with_header(L"entry-in-header", header, 2, header[1]);
    attempt(L"no-memory", 0xE0000000);
    attempt_beside_running_processor((UINTN)slb);
    *(volatile UINT32*)0xFEE00300 = 0x000C4500; /* INIT to all processors but this one */
    uefi_call_wrapper(BS->Stall, 1, 10000);
    attempt(L"good", (UINTN)slb + 0x1234); /* the low 16 bits do not count */
    return EFI_ABORTED;
}
