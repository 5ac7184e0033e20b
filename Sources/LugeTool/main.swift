print("lugectl")
