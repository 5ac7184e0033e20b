// The switch for x86-64, System V calling convention: everything else is the caller's to save.
//
// A suspended stack, from its stack pointer up (8 bytes each):
//   mxcsr (4 bytes) and x87 control word (2 bytes, 2 unused), r15, r14, r13, r12, rbx, rbp,
//   return address.
#include "Fibre.h"

#if PLATFORM_FIBRE_ASSEMBLY

extern void fibre_swap_stacks(void **from, void *to) __asm__("platform_fibre_swap_stacks");
extern void fibre_trampoline(void) __asm__("platform_fibre_trampoline");

__asm__(
    ".text\n"
    ".p2align 4\n"
    ".globl platform_fibre_swap_stacks\n"
    "platform_fibre_swap_stacks:\n"
    "  .cfi_startproc\n"
    "  pushq %rbp\n"
    "  .cfi_adjust_cfa_offset 8\n"
    "  pushq %rbx\n"
    "  .cfi_adjust_cfa_offset 8\n"
    "  pushq %r12\n"
    "  .cfi_adjust_cfa_offset 8\n"
    "  pushq %r13\n"
    "  .cfi_adjust_cfa_offset 8\n"
    "  pushq %r14\n"
    "  .cfi_adjust_cfa_offset 8\n"
    "  pushq %r15\n"
    "  .cfi_adjust_cfa_offset 8\n"
    "  subq $8, %rsp\n"
    "  .cfi_adjust_cfa_offset 8\n"
    "  stmxcsr (%rsp)\n"
    "  fnstcw 4(%rsp)\n"
    "  movq %rsp, (%rdi)\n"
    "  movq %rsi, %rsp\n"
    "  ldmxcsr (%rsp)\n"
    "  fldcw 4(%rsp)\n"
    "  addq $8, %rsp\n"
    "  .cfi_adjust_cfa_offset -8\n"
    "  popq %r15\n"
    "  .cfi_adjust_cfa_offset -8\n"
    "  popq %r14\n"
    "  .cfi_adjust_cfa_offset -8\n"
    "  popq %r13\n"
    "  .cfi_adjust_cfa_offset -8\n"
    "  popq %r12\n"
    "  .cfi_adjust_cfa_offset -8\n"
    "  popq %rbx\n"
    "  .cfi_adjust_cfa_offset -8\n"
    "  popq %rbp\n"
    "  .cfi_adjust_cfa_offset -8\n"
    "  retq\n"
    "  .cfi_endproc\n"
    // A new stack "returns" to here, with the fibre in r12 and the entry in r13.
    ".p2align 4\n"
    ".globl platform_fibre_trampoline\n"
    "platform_fibre_trampoline:\n"
    "  .cfi_startproc\n"
    "  .cfi_undefined rip\n"
    "  movq %r12, %rdi\n"
    "  callq *%r13\n"
    "  ud2\n"
    "  .cfi_endproc\n");

void platform_fibre_prepare(platform_fibre *fibre) {
  uint64_t *top = (uint64_t *)(fibre->stack + fibre->stack_size);
  // After the return to the trampoline the stack pointer is a multiple of 16, as before any call.
  top -= 2;
  top[0] = 0;
  top[1] = 0;
  *--top = (uint64_t)(uintptr_t)&fibre_trampoline;
  *--top = 0;                                            // rbp
  *--top = 0;                                            // rbx
  *--top = (uint64_t)(uintptr_t)fibre;                   // r12
  *--top = (uint64_t)(uintptr_t)&platform_fibre_begin;   // r13
  *--top = 0;                                            // r14
  *--top = 0;                                            // r15
  uint32_t mxcsr;
  uint16_t control;
  __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
  __asm__ volatile("fnstcw %0" : "=m"(control));
  *--top = (uint64_t)control << 32 | mxcsr;
  fibre->stack_pointer = top;
}

void platform_fibre_swap(platform_fibre *from, platform_fibre *to) {
  fibre_swap_stacks(&from->stack_pointer, to->stack_pointer);
}

#endif
