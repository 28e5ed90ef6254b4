import Synchronization

/// The plan of a simulated machine: at which of its writes it stops, or refuses.
///
/// Each write of a `MemoryVolume` is one step; each transaction of a catalog two, one before it and one behind it.
package final class StorageFaults: Sendable {
  package enum Fault: Hashable, Sendable {
    /// The machine stops while the step is under way; every later step fails too.
    case crash
    /// The step fails with this `errno`; later ones succeed.
    case failure(Int32)
  }

  private struct State {
    var stepCount = 0
    var steps: [String] = []
    var plan: (step: Int, fault: Fault)?
    var isCrashed = false
  }

  private let state = Mutex(State())

  package init() {}

  /// Counts from here; the fault comes at the step of that number, counted from 0.
  package func arm(_ fault: Fault, at step: Int) {
    state.withLock { state in
      state.stepCount = 0
      state.steps = []
      state.plan = (step, fault)
    }
  }

  package func disarm() { state.withLock { $0.plan = nil } }

  package var isCrashed: Bool { state.withLock { $0.isCrashed } }

  /// What was done since `arm`, in order.
  package var steps: [String] { state.withLock { $0.steps } }

  /// The fault that this step meets; nil if it is to be done.
  func next(_ step: String) -> Fault? {
    state.withLock { state in
      if state.isCrashed { return .crash }
      defer { state.stepCount += 1 }
      state.steps.append(step)
      guard let plan = state.plan, plan.step == state.stepCount else { return nil }
      if plan.fault == .crash { state.isCrashed = true }
      return plan.fault
    }
  }

  /// What the caller of a step gets to see of a fault.
  static func error(_ fault: Fault, _ action: String) -> StoreError {
    switch fault {
    case .crash: StoreError(kind: .io(5), text: "Cannot \(action): the simulated machine has stopped")
    case .failure(let code): StoreError(kind: .io(code), text: "Cannot \(action): simulated failure \(code)")
    }
  }
}
