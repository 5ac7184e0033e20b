internal import CLZ4
internal import CZstd
internal import Platform

/// Compresses and decompresses, and keeps the working memory of the libraries for the next call.
///
/// A context is the caller's own between `take` and `give`, by one exchange of a word each, so nobody waits; one that
/// finds no place is freed. At most `places` of each kind are kept. Made on first use.
///
/// Safe: a word holds the address of a context that nobody else knows, or 0; the libraries are
/// given exact sizes and write nothing beyond them, whatever the bytes.
@safe final class CodecContexts: Sendable {
  private enum Kind: Int {
    case compressor
    case decompressor
    case lz4
  }

  private static let places = 4
  private static let kinds = 3

  // Words and nothing else; the address never changes.
  nonisolated(unsafe) private let words: UnsafeMutablePointer<AtomicWord>
  private let kept = AtomicWord(0)

  init() {
    let count = CodecContexts.places * CodecContexts.kinds
    unsafe words = .allocate(capacity: count)
    for index in 0..<count { unsafe (words + index).initialize(to: AtomicWord(0)) }
  }

  deinit {
    for place in 0..<CodecContexts.places {
      for kind in [Kind.compressor, .decompressor, .lz4] {
        let context = unsafe words[CodecContexts.index(kind, place)].load()
        if context != 0 { CodecContexts.free(kind, context) }
      }
    }
    unsafe words.deinitialize(count: CodecContexts.places * CodecContexts.kinds)
    unsafe words.deallocate()
  }

  /// Bytes of the contexts that are kept for the next call.
  var keptBytes: Int { Int(truncatingIfNeeded: kept.load()) }

  /// Compresses into `target` and returns the bytes written; nil where they do not fit, or
  /// `compression` is none. Target and source do not overlap.
  func compress(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer,
    _ compression: Compression
  ) -> Int? {
    // Beyond what either library counts in.
    guard source.count > 0, source.count <= 1 << 30, target.count > 0 else { return nil }
    switch compression {
    case .none: return nil
    case .lz4: return unsafe compressLZ4(source, target)
    case .zstd(let level): return unsafe compressZstd(source, target, level)
    }
  }

  private func compressLZ4(
    _ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer
  ) -> Int? {
    guard let context = take(.lz4) else { return nil }
    defer { give(.lz4, context) }
    let count = unsafe LZ4_compress_fast_extState(
      CodecContexts.pointer(context), source.baseAddress, target.baseAddress, Int32(source.count),
      Int32(clamping: target.count), 1)
    return count > 0 ? Int(count) : nil
  }

  private func compressZstd(
    _ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer, _ level: Int
  ) -> Int? {
    guard let context = take(.compressor) else { return nil }
    defer { give(.compressor, context) }
    let count = unsafe ZSTD_compressCCtx(
      OpaquePointer(CodecContexts.pointer(context)), target.baseAddress, target.count,
      source.baseAddress, source.count, Int32(level))
    return ZSTD_isError(count) == 0 ? count : nil
  }

  /// Decompresses into `target`, which must be filled exactly. False where the bytes are damaged, or
  /// the system has no memory. Never writes beyond, whatever the bytes.
  func decompress(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, _ codec: Codec
  ) -> Bool {
    guard source.count > 0, source.count <= 1 << 30, target.count > 0, target.count <= 1 << 30
    else { return false }
    switch codec {
    case .plain: return false
    case .lz4:
      let count = unsafe LZ4_decompress_safe(
        source.baseAddress, target.baseAddress, Int32(source.count), Int32(target.count))
      return Int(count) == target.count
    case .zstd:
      guard let context = take(.decompressor) else { return false }
      defer { give(.decompressor, context) }
      let count = unsafe ZSTD_decompressDCtx(
        OpaquePointer(CodecContexts.pointer(context)), target.baseAddress, target.count,
        source.baseAddress, source.count)
      return count == target.count
    }
  }

  // MARK: Contexts

  private static func index(_ kind: Kind, _ place: Int) -> Int {
    kind.rawValue * places + place % places
  }

  private func take(_ kind: Kind) -> UInt64? {
    let start = max(0, ThreadSlot.current)
    for step in 0..<CodecContexts.places {
      let context = unsafe words[CodecContexts.index(kind, start + step)].exchange(0)
      if context != 0 {
        _ = kept.fetchSubtract(CodecContexts.size(kind, context))
        return context
      }
    }
    return CodecContexts.make(kind)
  }

  private func give(_ kind: Kind, _ context: UInt64) {
    let start = max(0, ThreadSlot.current)
    // Before others can take it: afterwards it may be gone.
    let size = CodecContexts.size(kind, context)
    _ = kept.fetchAdd(size)
    for step in 0..<CodecContexts.places {
      let index = CodecContexts.index(kind, start + step)
      if unsafe words[index].compareExchange(expected: 0, desired: context) { return }
    }
    _ = kept.fetchSubtract(size)
    CodecContexts.free(kind, context)
  }

  private static func size(_ kind: Kind, _ context: UInt64) -> UInt64 {
    switch kind {
    case .compressor: unsafe UInt64(ZSTD_sizeof_CCtx(OpaquePointer(pointer(context))))
    case .decompressor: unsafe UInt64(ZSTD_sizeof_DCtx(OpaquePointer(pointer(context))))
    case .lz4: UInt64(LZ4_sizeofState())
    }
  }

  /// Nil when there is no memory.
  private static func make(_ kind: Kind) -> UInt64? {
    switch kind {
    case .compressor: unsafe ZSTD_createCCtx().map { UInt64(UInt(bitPattern: $0)) }
    case .decompressor: unsafe ZSTD_createDCtx().map { UInt64(UInt(bitPattern: $0)) }
    case .lz4:
      UInt64(
        UInt(
          bitPattern: UnsafeMutableRawPointer.allocate(
            byteCount: Int(LZ4_sizeofState()), alignment: 16)))
    }
  }

  private static func free(_ kind: Kind, _ context: UInt64) {
    let pointer = unsafe pointer(context)
    switch kind {
    case .compressor: unsafe _ = ZSTD_freeCCtx(OpaquePointer(pointer))
    case .decompressor: unsafe _ = ZSTD_freeDCtx(OpaquePointer(pointer))
    case .lz4: unsafe pointer.deallocate()
    }
  }

  private static func pointer(_ context: UInt64) -> UnsafeMutableRawPointer {
    unsafe UnsafeMutableRawPointer(bitPattern: UInt(context)).unsafelyUnwrapped
  }
}
