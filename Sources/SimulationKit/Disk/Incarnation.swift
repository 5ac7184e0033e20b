/// One life of a simulated process: its gate and its open files. Its end makes every handle of it
/// invalid.
final class Incarnation {
  /// Nil once the process has ended: let go, so that gate and mount do not keep each other alive.
  private(set) var gate: (any SeamGate)?
  /// One entry for each handle and each lock.
  private var handles: [Inode] = []

  init(_ gate: any SeamGate) {
    self.gate = gate
    handles.reserveCapacity(16)
  }

  /// Notes a handle.
  func open(_ inode: Inode) {
    inode.openHandles += 1
    handles.append(inode)
  }

  /// Forgets a handle. The caller settles the inode.
  func close(_ inode: Inode) {
    var index = handles.count - 1
    while index >= 0 {
      if handles[index] === inode {
        handles.remove(at: index)
        inode.openHandles -= 1
        return
      }
      index -= 1
    }
  }

  /// Ends the process; returns what its handles led to.
  func end() -> [Inode] {
    gate = nil
    let open = handles
    handles = []
    return open
  }
}
