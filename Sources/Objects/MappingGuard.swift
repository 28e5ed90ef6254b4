import Glibc
import Synchronization

/// Keeps a file that is shortened while it is mapped from ending the process.
///
/// Reading a mapped byte that its file no longer has, or that the disk does not give, raises SIGBUS. For the mappings of
/// `MappedFile` the handler puts zeros in their place and marks the mapping as lost; who reads it asks for the mark before it
/// believes what it read. SIGBUS at any other address goes where it went before: to the handler that was there when the first
/// file was mapped, or to the system, which ends the process.
///
/// SAFETY: the handler runs where the byte was read, so it takes no lock, allocates nothing and calls nothing but `mmap` and
/// `sigaction`: it reads slots that are never freed, through atomics.
enum MappingGuard {
  /// A mapping, or an unused place: then no address lies in it.
  struct Slot: ~Copyable {
    fileprivate let start = Atomic<UInt>(.max)
    fileprivate let end = Atomic<UInt>(0)
    fileprivate let isLost = Atomic<Bool>(false)
  }

  private struct Block: ~Copyable {
    let slots: UnsafeMutablePointer<Slot>
    let next: UnsafeMutablePointer<Block>?
  }

  /// A mapping that is watched until it is given up.
  // SAFETY: slots are never freed and hold atomics alone.
  struct Watch: @unchecked Sendable {
    fileprivate let slot: UnsafeMutablePointer<Slot>

    var isLost: Bool { slot.pointee.isLost.load(ordering: .acquiring) }
  }

  // SAFETY: see `Watch`.
  private struct Shelf: @unchecked Sendable {
    var free: [UnsafeMutablePointer<Slot>] = []
    var isInstalled = false
  }

  private static let blockSlotCount = 256
  private static let shelf = Mutex(Shelf())
  /// The address of the newest block.
  private static let newest = Atomic<UInt>(0)
  // Both are written before the handler is installed, and only read from then on.
  nonisolated(unsafe) private static var previous = sigaction()
  nonisolated(unsafe) private static var pageByteCount: UInt = 4096

  /// - Parameter start: what `mmap` returned; given up with `end` before it is unmapped.
  static func begin(_ start: UnsafeMutableRawPointer, byteCount: Int) -> Watch {
    let slot = shelf.withLock { shelf -> UnsafeMutablePointer<Slot> in
      if !shelf.isInstalled {
        install()
        shelf.isInstalled = true
      }
      if shelf.free.isEmpty { shelf.free = makeBlock() }
      return shelf.free.removeLast()
    }
    slot.pointee.isLost.store(false, ordering: .relaxed)
    let address = UInt(bitPattern: start)
    // In this order, so that a place that is being filled or emptied holds no address.
    slot.pointee.end.store(address + UInt(byteCount), ordering: .releasing)
    slot.pointee.start.store(address, ordering: .releasing)
    return Watch(slot: slot)
  }

  static func end(_ watch: Watch) {
    watch.slot.pointee.start.store(.max, ordering: .releasing)
    watch.slot.pointee.end.store(0, ordering: .releasing)
    shelf.withLock { $0.free.append(watch.slot) }
  }

  private static func makeBlock() -> [UnsafeMutablePointer<Slot>] {
    let slots = UnsafeMutablePointer<Slot>.allocate(capacity: blockSlotCount)
    for index in 0..<blockSlotCount { (slots + index).initialize(to: Slot()) }
    let block = UnsafeMutablePointer<Block>.allocate(capacity: 1)
    block.initialize(to: Block(slots: slots, next: UnsafeMutablePointer(bitPattern: newest.load(ordering: .acquiring))))
    newest.store(UInt(bitPattern: block), ordering: .releasing)
    return (0..<blockSlotCount).map { slots + $0 }
  }

  // MARK: The signal

  private static func install() {
    pageByteCount = UInt(sysconf(Int32(_SC_PAGESIZE)))
    // A first use of these must not fall into the handler.
    _ = newest.load(ordering: .acquiring)
    sigaction(SIGBUS, nil, &previous)
    var action = sigaction()
    action.sa_flags = SA_SIGINFO | SA_ONSTACK
    sigemptyset(&action.sa_mask)
    action.__sigaction_handler.sa_sigaction = { signal, info, context in
      let code = errno
      if let info, info.pointee.si_code == MappingGuard.addressFault, let address = info.pointee._sifields._sigfault.si_addr,
        MappingGuard.fill(UInt(bitPattern: address))
      {
        errno = code
        return
      }
      MappingGuard.passOn(signal, info, context)
    }
    sigaction(SIGBUS, &action, nil)
  }

  /// `BUS_ADRERR`: the address is mapped, but nothing is behind it.
  private static let addressFault: Int32 = 2

  /// Zeros from the page of an address to the end of its mapping: what lies behind a file's end is gone as well.
  /// - Returns: false for an address that is not ours.
  private static func fill(_ address: UInt) -> Bool {
    var block = UnsafeMutablePointer<Block>(bitPattern: newest.load(ordering: .acquiring))
    while let current = block {
      for index in 0..<blockSlotCount {
        let slot = current.pointee.slots + index
        guard slot.pointee.start.load(ordering: .acquiring) <= address else { continue }
        let end = slot.pointee.end.load(ordering: .acquiring)
        guard address < end else { continue }
        slot.pointee.isLost.store(true, ordering: .releasing)
        let page = address & ~(pageByteCount - 1)
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE
        return mmap(UnsafeMutableRawPointer(bitPattern: page), Int(end - page), PROT_READ, flags, -1, 0) != MAP_FAILED
      }
      block = current.pointee.next
    }
    return false
  }

  private static func passOn(_ signal: Int32, _ info: UnsafeMutablePointer<siginfo_t>?, _ context: UnsafeMutableRawPointer?) {
    if previous.sa_flags & SA_SIGINFO != 0, let handler = previous.__sigaction_handler.sa_sigaction {
      return handler(signal, info, context)
    }
    // 0 and 1 stand for the default and for ignoring, which the system does not do for a fault.
    if let handler = previous.__sigaction_handler.sa_handler, unsafeBitCast(handler, to: UInt.self) > 1 { return handler(signal) }
    // The instruction is tried again, and ends the process as if nobody had listened.
    var standard = sigaction()
    sigaction(signal, &standard, nil)
  }
}
