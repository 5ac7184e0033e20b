import CPlatform
import Platform

/// A few fibres that switch among each other and back to the thread that runs them.
@safe
final class Ring {
  // Fibres stay valid until `run` has destroyed them.
  private var home: OpaquePointer
  private var fibres: [OpaquePointer] = unsafe []
  private var bodies: [Body] = []

  final class Body {
    unowned let ring: Ring
    let index: Int
    /// Dropped when it has run: what it holds must not live as long as the ring.
    var body: ((Ring) -> Void)?
    var isDone = false
    init(_ ring: Ring, _ index: Int, _ body: @escaping (Ring) -> Void) {
      self.ring = ring
      self.index = index
      self.body = body
    }

    /// Runs the body, and answers where the fibre stands.
    func run() -> Unmanaged<Ring> {
      if let body { body(ring) }
      body = nil
      isDone = true
      return unsafe Unmanaged.passUnretained(ring)
    }
  }

  struct OutOfMemory: Error {}

  private(set) var current = -1

  init?() {
    guard let home = unsafe platform_fibre_adopt_thread() else { return nil }
    unsafe self.home = home
  }

  func add(_ body: @escaping (Ring) -> Void) throws {
    let entry = Body(self, bodies.count, body)
    bodies.append(entry)
    let fibre = unsafe platform_fibre_create(
      131_072,
      { argument in
        // No reference may be left in this frame, which is never returned to.
        unsafe Ring.finish(Unmanaged<Body>.fromOpaque(argument!).takeUnretainedValue().run())
      }, Unmanaged.passUnretained(entry).toOpaque())
    guard let fibre = unsafe fibre else { throw OutOfMemory() }
    unsafe fibres.append(fibre)
  }

  func yield(to next: Int) {
    let from = current
    current = next
    unsafe platform_fibre_switch(fibres[from], fibres[next])
  }

  private static func finish(_ ring: Unmanaged<Ring>) {
    unsafe ring._withUnsafeGuaranteedRef { $0.goHome() }
  }

  func goHome() { unsafe platform_fibre_switch(fibres[current], home) }

  var count: Int { bodies.count }

  func isDone(_ index: Int) -> Bool { bodies[index].isDone }

  /// Runs one fibre until it goes home. The caller is home.
  func resume(_ index: Int) {
    current = index
    unsafe platform_fibre_switch(home, fibres[index])
    current = -1
  }

  /// Runs the first that is not done, until all are; then frees them.
  func run() {
    while let next = bodies.first(where: { !$0.isDone }) { resume(next.index) }
    destroy()
  }

  /// Frees all fibres, done or not.
  func destroy() {
    for index in bodies.indices { unsafe platform_fibre_destroy(fibres[index]) }
    unsafe platform_fibre_destroy(home)
  }
}
